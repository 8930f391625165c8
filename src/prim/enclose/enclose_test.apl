⍝ ⊂ ⊆ ⊃ ∊: expected values from the Dyalog APL Language Reference or by hand
M←3 4⍴⍳12
⊂5 ←→ 5
⍴⊂1 2 3 ←→ ⍬
⊂[1]2 3⍴⍳6 ←→ (1 4)(2 5)(3 6)
⊂[2]2 3⍴⍳6 ←→ (1 2 3)(4 5 6)
⊂[1 2]2 3⍴⍳6 ←→ ⊂2 3⍴⍳6
⊂[2 1]2 3⍴⍳6 ←→ ⊂3 2⍴1 4 2 5 3 6
⊂[3]M ←✗→ INDEX ERROR
⊆1 2 3 ←→ ⊂1 2 3
⊆(1 2)3 ←→ (1 2)3
⊆5 ←→ 5
⊆1 'a' ←→ ⊂1 'a'
⍝ partitioned enclose
0 1 0 0 1 1 0 0 0⊂⍳9 ←→ (2 3 4)(,5)(6 7 8 9)
1 0 1⊂'abc' ←→ 'ab'(,'c')
1 2 0⊂'abc' ←→ (,'a')'' 'bc'
1 0 0 1⊂M ←→ (3 3⍴1 2 3 5 6 7 9 10 11)(3 1⍴4 8 12)
1 0 1⊂[1]M ←→ (2 4⍴⍳8)(1 4⍴8+⍳4)
1⊂'abc' ←→ (,'a')(,'b')(,'c')
1 0 0 1⊂'abc' ←→ 'abc' ''
≢0 0 0⊂'abc' ←→ 0
1 1 1 1 1⊂'abc' ←✗→ LENGTH ERROR: 5 marks for 3 positions
¯1 0 1⊂'abc' ←✗→ DOMAIN ERROR
⍝ partition
1 1 1 0 1 1⊆'abcdef' ←→ 'abc' 'ef'
1 1 2 2 1 1⊆'abcdef' ←→ 'ab' 'cdef'
0 0 0⊆'abc' ←→ 0⍴⊂''
1 1 0 2⊆2 4⍴⍳8 ←→ 2 2⍴(1 2)(,4)(5 6)(,8)
1 0 1⊆[1]3 2⍴1+⍳6 ←→ 2 2⍴(,2)(,3)(,6)(,7)
1 1⊆'abc' ←✗→ LENGTH ERROR: 2 groups for 3 positions
⍝ first and pick
⊃7 8 9 ←→ 7
⊃'abc' 'de' ←→ 'abc'
⊃⍬ ←→ 0
⊃'' ←→ ' '
⊃0⍴⊂1 2 ←→ 0 0
⊃5 ←→ 5
2⊃'abc' 'de' ←→ 'de'
(2 1)⊃'abc' 'de' ←→ 'd'
(⊂2 3)⊃M ←→ 7
((1 2)1)⊃2 2⍴'ab' 'cd' 'ef' 'gh' ←→ 'c'
⍬⊃M ←→ M
3⊃'abc' 'de' ←✗→ INDEX ERROR: index 3 of axis 1, whose length is 2
2⊃M ←✗→ RANK ERROR: an index of 1 numbers into an array of rank 2
1 1 1⊃'abc' 'de' ←✗→ RANK ERROR
⍝ enlist
∊(1 2)(3(4 5)) ←→ ⍳5
∊'ab'('c' 'de') ←→ 'abcde'
∊1 2(3 'a') ←→ 1 2 3 'a'
∊M ←→ ⍳12
∊5 ←→ ,5
∊0⍴⊂'abc' ←→ ''
∊(⍳0)'' ←→ ⍬
