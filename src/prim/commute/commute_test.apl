⍝ ⍨ commute, and the constant
3-⍨10 ←→ 7
×⍨5 ←→ 25
,⍨1 2 ←→ 1 2 1 2
'ab'⍴⍨5 ←→ 'ababa'
2*⍨3 4 ←~→ 9 16
X←1 2 3
X+⍨X ←→ 2 4 6
-⍨X ←→ 0 0 0
X ←→ 1 2 3
7⍨'anything' ←→ 7
1(5 6⍨)2 ←→ 5 6
