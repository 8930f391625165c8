⍝ ⎕DR: the numbers are those of elem.def; packed values are exact where they are codes times a scale of 1
⎕DR 1 0 ←→ 11
⎕DR 1 2 ←→ 83
⎕DR 1 1000 ←→ 163
⎕DR 1 100000 ←→ 323
⎕DR 1 10000000000 ←→ 643
⎕DR 0.5 ←→ 645
⎕DR 'abc' ←→ 80
⎕DR 'a⍳' ←→ 160
⎕DR (1 2)'a' ←→ 326
⎕DR 325 ⎕DR 1 2 ←→ 325
⎕DR 165 ⎕DR 1 2 ←→ 165
⎕DR 167 ⎕DR 1 2 ←→ 167
⎕DR 645 ⎕DR 1 2 ←→ 645
⎕DR 83 ⎕DR 1 0 ←→ 83
⎕DR (645 ⎕DR 1.5)+325 ⎕DR 1 ←→ 645
⎕DR 1.5+325 ⎕DR 1 ←→ 325
83 ⎕DR 300 ←✗→ DOMAIN ERROR: 300 is not of type int8
83 ⎕DR 1.5 ←✗→ DOMAIN ERROR: 1.5 is not of type int8
165 ⎕DR 1E6 ←✗→ DOMAIN ERROR: beyond float16
325 ⎕DR 'a' ←✗→ DOMAIN ERROR
80 ⎕DR '⍳' ←✗→ DOMAIN ERROR
13 ⎕DR 1 2 ←✗→ LENGTH ERROR: needs a group size
999 ⎕DR 1 2 ←✗→ DOMAIN ERROR: 999
83 32 ⎕DR 5 ←✗→ RANK ERROR
43 32 ⎕DR 2 33⍴1 ←✗→ DOMAIN ERROR
B←13 4 ⎕DR 2 8⍴1 ¯1 1 1 ¯1 ¯1 1 ¯1
⎕DR B ←→ 13 4
325 ⎕DR B ←→ 325 ⎕DR 2 8⍴1 ¯1 1 1 ¯1 ¯1 1 ¯1
⍴B ←→ 2 8
E←83 0 ⎕DR 2 3⍴127 ¯127 1 2 3 127
⎕DR E ←→ 83 0
325 ⎕DR E ←→ 325 ⎕DR 2 3⍴127 ¯127 1 2 3 127
⎕DR 2 1 3⍴E ←→ 83 0
⎕DR 1↓E ←→ 83 0
