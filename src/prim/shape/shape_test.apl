⍝ ⍴ , ⍪ ≢: expected values from the Dyalog APL Language Reference or by hand
M←3 4⍴⍳12
⍴M ←→ 3 4
⍴5 ←→ ⍬
⍴'abc' ←→ ,3
⍴⍳0 ←→ ,0
3⍴1 2 ←→ 1 2 1
2 2⍴'abcde' ←→ 2 2⍴'abcd'
(2 3⍴⍳2)[2;] ←→ 2 1 2
3⍴⍬ ←→ 0 0 0
3⍴'' ←→ '   '
1⍴0⍴⊂1 2 ←→ ,⊂0 0
⍴0 3⍴5 ←→ 0 3
⍬⍴7 8 ←→ 7
⍬⍴(1 'a') ←→ 1
12⍴M ←→ ⍳12
,4 3⍴M ←→ ⍳12
⍴2 3⍴⊂'ab' ←→ 2 3
20⍴1 0 0 ←→ 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1 0 0 1 0
(¯1)⍴5 ←✗→ DOMAIN ERROR: ¯1
(2 2⍴1)⍴5 ←✗→ RANK ERROR
1.5⍴5 ←✗→ DOMAIN ERROR
'a'⍴5 ←✗→ DOMAIN ERROR
⍝ ravel, with axis
,M ←→ ⍳12
,5 ←→ 1⍴5
⍴,[0.5]'abc' ←→ 1 3
⍴,[1.5]'abc' ←→ 3 1
⍴,[1 2]2 3 4⍴0 ←→ 6 4
⍴,[2 3]2 3 4⍴0 ←→ 2 12
⍴,[⍬]2 3⍴0 ←→ 2 3 1
⍴,[0.5]2 3⍴0 ←→ 1 2 3
,[1 3]2 3 4⍴0 ←✗→ DOMAIN ERROR
,[3]2 3⍴0 ←✗→ INDEX ERROR
⍝ table and tally
⍪1 2 3 ←→ 3 1⍴1 2 3
⍴⍪2 3 4⍴0 ←→ 2 12
⍪5 ←→ 1 1⍴5
≢M ←→ 3
≢5 ←→ 1
≢'' ←→ 0
