⍝ ⍋ and ⍒: expected values by hand; the alphabet's from the Dyalog APL Language Reference
⍋3 1 2 ←→ 2 3 1
⍒3 1 2 ←→ 1 3 2
⍋3 1 3 1 ←→ 2 4 1 3
⍒3 1 3 1 ←→ 1 3 2 4
⍋'hello' ←→ 2 1 3 4 5
⍋¯1.5 0 ¯2 1E300 ←→ 3 1 2 4
⍋⍬ ←→ ⍬
⍋1 0 1 0 ←→ 2 4 1 3
⍋3 2⍴2 1 1 2 1 1 ←→ 3 2 1
⍋'cab' 'abc' 'ab' 5 ←→ 4 3 2 1
⍋(2 1)(1 2)1 ←→ 3 2 1
⍒(2 1)(1 2)1 ←→ 1 2 3
⍋5 ←✗→ RANK ERROR
S←100⍴7 3 ¯5 1000000 3 ¯40000
S[⍋S] ←→ (16⍴¯40000),(17⍴¯5),(33⍴3),(17⍴7),17⍴1000000
(⍋S)[1 2 17] ←→ 6 12 3
'ZYX'⍋'XYZ' ←→ 3 2 1
'ABC'⍋'CAxB' ←→ 2 4 1 3
'ABC'⍒'CAB' ←→ 1 3 2
(2 2⍴'abAB')⍋3 1⍴'BaA' ←→ 2 3 1
(2 2⍴'abAB')⍋3 2⍴'bbAaaa' ←→ 3 2 1
1 2⍋'ab' ←✗→ DOMAIN ERROR
