⍝ ⌹: expected values by hand
⌹2 2⍴2 0 0 4 ←~→ 2 2⍴0.5 0 0 0.25
⌹2 2⍴1 2 3 4 ←~→ 2 2⍴¯2 1 1.5 ¯0.5
⌹4 ←~→ 0.25
⌹3 4 ←~→ 0.12 0.16
5 6⌹2 2⍴1 2 3 4 ←~→ ¯4 4.5
(2 2⍴5 6 7 8)⌹2 2⍴1 2 3 4 ←~→ 2 2⍴¯3 ¯4 4 5
6⌹4 ←~→ 1.5
⍝ a line through (1 1) (2 2) (3 2): slope 1÷2, intercept 2÷3
1 2 2⌹3 2⍴1 1 1 2 1 3 ←~→ 0.6666666666666666 0.5
⎕DR (325 ⎕DR 5 6)⌹325 ⎕DR 2 2⍴1 2 3 4 ←→ 325
⌹2 2⍴1 2 2 4 ←✗→ DOMAIN ERROR: singular
⌹0 ←✗→ DOMAIN ERROR
⌹2 3⍴⍳6 ←✗→ LENGTH ERROR: 2 rows cannot determine 3 columns
1 2 3⌹2 2⍴1 2 3 4 ←✗→ LENGTH ERROR: ⍺ has 3 rows, ⍵ has 2
⌹2 2 2⍴1 ←✗→ RANK ERROR
⌹'a' ←✗→ DOMAIN ERROR
