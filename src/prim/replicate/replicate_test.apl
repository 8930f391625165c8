⍝ / ⌿ \ ⍀ with an array on the left: expected values by hand
M←2 3⍴⍳6
1 0 1/1 2 3 ←→ 1 3
1 2 3/4 5 6 ←→ 4 5 5 6 6 6
1 ¯2 1/4 5 6 ←→ 4 0 0 6
1 ¯2 1/'abc' ←→ 'a  c'
2/1 2 3 ←→ 1 1 2 2 3 3
0/1 2 3 ←→ ⍬
3/5 ←→ 5 5 5
1 0 2/5 ←→ 5 5 5
1 0 1/M ←→ 2 2⍴1 3 4 6
0 1⌿M ←→ 1 3⍴4 5 6
2 1/[1]M ←→ 3 3⍴1 2 3 1 2 3 4 5 6
1 0 1⌿[2]M ←→ 2 2⍴1 3 4 6
1 0 2/(1 2)'a' 'bc' ←→ (1 2)'bc' 'bc'
1 ¯1/(1 2)'a' ←→ (1 2)(0 0)
(100⍴1 0 0)/⍳100 ←→ 1+3×¯1+⍳34
(100⍴1 0 0)/100⍴1 0 0 ←→ 34⍴1
1 0 1/1 2 ←✗→ LENGTH ERROR: 3 numbers on the left of /, axis 1 of the right argument has length 2
0.5/1 2 ←✗→ DOMAIN ERROR
(1 1⍴1)/1 2 ←✗→ RANK ERROR
1 0 1\1 2 ←→ 1 0 2
1 0 1\'ab' ←→ 'a b'
1 ¯2 2\'ab' ←→ 'a  bb'
1 0 1\5 ←→ 5 0 5
1 0 1 1\M ←→ 2 4⍴1 0 2 3 4 0 5 6
1 0 1⍀M ←→ 3 3⍴1 2 3 0 0 0 4 5 6
1 0 1\[1]M ←→ 3 3⍴1 2 3 0 0 0 4 5 6
1 0 1\1 2 3 ←✗→ LENGTH ERROR: 2 positive numbers on the left of \ for 3 positions
⍝ long masks
B←200003⍴1 0 0 1 0
X←⍳200003
(B/X)≡X~(~B)/X ←→ 1
(B\B/X)≡X×B ←→ 1
(B\B/B)≡B ←→ 1
(B/B)≡(+/B)⍴1 ←→ 1
(B\'ab')≡'ab' ←✗→ LENGTH ERROR
(1 0 1\'ab') ←→ 'a b'
(1 0 1\2 2⍴⍳4) ←→ 2 3⍴1 0 2 3 0 4
(1 0 1/2 3⍴⍳6) ←→ 2 2⍴1 3 4 6
(1 0 1/2 3⍴1 0 1 0 0 1) ←→ 2 2⍴1 1 0 1
