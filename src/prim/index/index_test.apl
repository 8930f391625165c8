⍝ indexing: expected values from the Dyalog APL Language Reference or by hand
V←10 20 30 40
M←3 4⍴⍳12
A←2 3 4⍴⍳24
V[2] ←→ 20
V[2 3] ←→ 20 30
V[2 2⍴1 2 3 4] ←→ 2 2⍴10 20 30 40
V[⍬] ←→ ⍬
V[,2] ←→ ,20
M[2;3] ←→ 7
M[2;] ←→ 5 6 7 8
M[;2] ←→ 2 6 10
M[1 3;2 1] ←→ 2 2⍴2 1 10 9
M[;] ←→ M
M[,2;] ←→ 1 4⍴5 6 7 8
M[1;2 2⍴1 2 3 4] ←→ 2 2⍴1 2 3 4
A[2;;3] ←→ 15 19 23
A[;2;] ←→ 2 4⍴5 6 7 8 17 18 19 20
A[2;1;] ←→ 13 14 15 16
A[1 2;3;4 1] ←→ 2 2⍴12 9 24 21
'abc'[3 1 2] ←→ 'cab'
(1 0 1 1 0 1 1 1 0 1)[10 9 8 1] ←→ 1 0 1 1
('ab' 'cd' 5)[2] ←→ ⊂'cd'
('ab' 'cd' 5)[3] ←→ 5
('ab' 3 5)[2 3] ←→ 3 5
⍝ choose and reach
M[⊂2 3] ←→ 7
M[(1 1)(2 3)(3 4)] ←→ 1 7 12
M[2 2⍴(1 1)(2 3)(3 4)(1 2)] ←→ 2 2⍴1 7 12 2
V[⊂2] ←→ 20
('ab' 'cd')[⊂2 1] ←→ 'c'
(2 2⍴'ab' 'cd' 'ef' 'gh')[⊂(1 2)1] ←→ 'c'
⍝ squad
2⌷V ←→ 20
2⌷M ←→ 5 6 7 8
2 3⌷M ←→ 7
(⊂1 3)⌷M ←→ 2 4⍴1 2 3 4 9 10 11 12
(1 3)2⌷M ←→ 2 10
2⌷[2]M ←→ 2 6 10
⌷M ←→ M
⍬⌷M ←→ M
⍝ errors say which index, axis and length
V[5] ←✗→ INDEX ERROR: index 5 of axis 1, whose length is 4
V[1 5] ←✗→ INDEX ERROR: index 5 of axis 1, whose length is 4
V[0] ←✗→ INDEX ERROR
M[1;5] ←✗→ INDEX ERROR: index 5 of axis 2, whose length is 4
M[4;1] ←✗→ INDEX ERROR: index 4 of axis 1, whose length is 3
M[1] ←✗→ RANK ERROR: 1 subscripts for an array of rank 2
V[1.5] ←✗→ DOMAIN ERROR
V['a'] ←✗→ DOMAIN ERROR
1 2 3⌷M ←✗→ RANK ERROR
⍝ packed arrays: a row, some rows, one element
Q←83 0 ⎕DR 3 4⍴508 256 ¯128 4
⎕DR Q ←→ 83 0
⎕DR Q[2;] ←→ 83 0
0+Q[2;] ←~→ 508 256 ¯128 4
⎕DR Q[2 1;] ←→ 325
Q[2 1;] ←~→ 2 4⍴508 256 ¯128 4
Q[2;3] ←~→ ¯128
Q[;3] ←~→ ¯128 ¯128 ¯128
⍝ assignment
W←V
W[2]←99
W ←→ 10 99 30 40
V ←→ 10 20 30 40
W[1 3]←7 8
W ←→ 7 99 8 40
W[⍬]←5
W ←→ 7 99 8 40
N←M
N[2;]←0
N ←→ 3 4⍴1 2 3 4 0 0 0 0 9 10 11 12
N[;1]←5 6 7
N ←→ 3 4⍴5 2 3 4 6 0 0 0 7 10 11 12
N[1 2;3 4]←2 2⍴100 200 300 400
N ←→ 3 4⍴5 2 100 200 6 0 300 400 7 10 11 12
N[;]←1
N ←~→ 3 4⍴1
B←1 0 1 1 0 1 1 1 0 1
B[2 5 9]←1
B ←→ 10⍴1
B[3]←'x'
B ←→ 1 1 'x' 1 1 1 1 1 1 1
B[3]←⊂1 2
B[3] ←→ ⊂1 2
I←1 2 3
I[2]←1000
I ←→ 1 1000 3
I[2]←0.5
I ←→ 1 0.5 3
F←325 ⎕DR 1 2 3
F[2]←0.5
⎕DR F ←→ 325
F ←~→ 1 0.5 3
H←165 ⎕DR 1 2 3
H[1 2]←325 ⎕DR 7 8
⎕DR H ←→ 165
K←325 ⎕DR 2 3 2⍴0
K[2;1 3;]←2 2⍴1 2 3 4
K ←~→ 2 3 2⍴0 0 0 0 0 0 1 2 0 0 3 4
⍝ an array of a reduced type keeps it: values are rounded, whole packed rows packed again
H←165 ⎕DR 2 20⍴0
H[2;]←325 ⎕DR 20⍴2049
⎕DR H ←→ 165
H ←~→ 2 20⍴(20⍴0),20⍴2048
C←325 ⎕DR 2 3 1 2⍴0
C[2;,3;;]←325 ⎕DR 1 1 2⍴5 6
C[1;2;;]←325 ⎕DR 7 8
⎕DR C ←→ 325
C ←~→ 2 3 1 2⍴0 0 7 8 0 0 0 0 0 0 5 6
D←C
C[1;1;;]←325 ⎕DR 1 2⍴9
D[1;1;;] ←~→ 1 2⍴0
C[1;1;;] ←~→ 1 2⍴9
C[1;1;;]←325 ⎕DR 2 2⍴0 ←✗→ RANK ERROR
C[1;1;;]←325 ⎕DR 3⍴0 ←✗→ LENGTH ERROR
C[3;1;;]←325 ⎕DR 2⍴0 ←✗→ INDEX ERROR
C[1;0;;]←325 ⎕DR 2⍴0 ←✗→ INDEX ERROR
C[1;1;;] ←~→ 1 2⍴9
H←165 ⎕DR 2 2 20⍴0
H[2;,1;]←325 ⎕DR 1 20⍴2049
⎕DR H ←→ 165
H ←~→ 2 2 20⍴(40⍴0),(20⍴2048),20⍴0
T←123 0 ⎕DR 2 2 2 4⍴0
T[2;,1;;]←325 ⎕DR 1 2 4⍴2047 1 0 ¯2047 0 0 0 0
⎕DR T ←→ 123 0
0+T ←~→ 2 2 2 4⍴(16⍴0),2047 1 0 ¯2047,12⍴0
U←T
T[2;1;;]←325 ⎕DR 2 4⍴0
0+U[2;1;1;] ←~→ 2047 1 0 ¯2047
0+T ←~→ 2 2 2 4⍴0
T[2;1;;]←4 2⍴0 ←✗→ LENGTH ERROR
T[1;1;;]←325 ⎕DR 2 4⍴2047
T[1;1;;]←(325 ⎕DR 2 4⍴1E38)×325 ⎕DR 2 4⍴100 1 1 1 ←✗→ DOMAIN ERROR
0+T[1;1;1;] ←~→ 4⍴2047
J←3 4⍴⍳12
J[2;]←4 3 2 1
J ←→ 3 4⍴1 2 3 4 4 3 2 1 9 10 11 12
J[2;]←4 3 2 1000
J ←→ 3 4⍴1 2 3 4 4 3 2 1000 9 10 11 12
Q←83 0 ⎕DR 3 4⍴508 256 ¯128 4
P←Q
Q[2;]←254 128 0 ¯2
⎕DR Q ←→ 83 0
0+Q ←~→ 3 4⍴508 256 ¯128 4 254 128 0 ¯2 508 256 ¯128 4
0+P ←~→ 3 4⍴508 256 ¯128 4
Q[3 1;]←2 4⍴127 1 2 3 0 ¯127 5 1
0+Q ←~→ 3 4⍴0 ¯127 5 1 254 128 0 ¯2 127 1 2 3
Q[;]←127
0+Q ←~→ 3 4⍴127
Q[1 2;]×←3
⎕DR Q ←→ 83 0
0+Q ←~→ 3 4⍴381 381 381 381 381 381 381 381 127 127 127 127
Q[1;2]←5 ←✗→ DOMAIN ERROR: the elements of a packed row share scales: assign whole rows of its last axis (4 elements), or make the array f32 first (325 ⎕DR)
Q[2;]←1E39 ←✗→ DOMAIN ERROR
0+Q[2;] ←~→ 4⍴381
Q←123 0 ⎕DR 3 4⍴2047 256 ¯128 4
R←Q
Q[2;]←325 ⎕DR 4094 ¯4094 3 5
⎕DR Q ←→ 123 0
325 ⎕DR Q ←→ 325 ⎕DR 3 4⍴2047 256 ¯128 4 4094 ¯4094 4 4 2047 256 ¯128 4
325 ⎕DR R ←→ 325 ⎕DR 3 4⍴2047 256 ¯128 4
Q←43 32 ⎕DR 2 3 2 64⍴0
Q[2;3 1;;]←2 2 64⍴¯8+16|⍳256
⎕DR Q ←→ 43 32
0+Q ←~→ 2 3 2 64⍴(384⍴0),(128⍴¯8+16|128+⍳128),(128⍴0),¯8+16|⍳128
⍝ modified assignment accumulates
X←5⍴0
X[1 1 2]+←1
X ←→ 2 1 0 0 0
X[1 1 3]+←10 20 30
X ←→ 32 1 30 0 0
X[4]-←1
X ←→ 32 1 30 ¯1 0
Y←2 3⍴0
Y[2;1 1 3]+←1 2 3
Y ←→ 2 3⍴0 0 0 3 0 3
Y[1 1;2]+←5
Y ←→ 2 3⍴0 10 0 3 0 3
⍝ choose and reach assignment
Z←2 3⍴0
Z[(1 2)(2 3)]←5 6
Z ←→ 2 3⍴0 5 0 0 0 6
P←'abc' 'def'
P[⊂2 1]←'X'
P ←→ 'abc' 'Xef'
⍝ errors leave the array as it was
V[9]←1 ←✗→ INDEX ERROR
V[1 2]←1 2 3 ←✗→ LENGTH ERROR: a value of shape 3 for elements of shape 2
M[1;]←2 2⍴1 ←✗→ RANK ERROR
V ←→ 10 20 30 40
