⍝ ? rolls and deals; what is promised is the range, the difference, and that ⎕RL repeats it.
∧/(?100⍴6)∊⍳6 ←→ 1
V←?1000⍴6
(⌊/V)(⌈/V) ←→ 1 6
X←?0
(X>0)∧X<1 ←→ 1
≢∪10?10 ←→ 10
≢∪5?1000000 ←→ 5
(⍋⍋10?10) ≡ ⍳10 ←→ 0
0?0 ←→ ⍬
3?2 ←✗→ DOMAIN ERROR: 3 different numbers of 2
?¯1 ←✗→ DOMAIN ERROR
?1.5 ←✗→ DOMAIN ERROR
⎕RL←42
A←?5⍴1000
⎕RL←42
A≡?5⍴1000 ←→ 1
⍴?2 3⍴5 ←→ 2 3
