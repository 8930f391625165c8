⍝ system functions without a workspace; examples of Dyalog's documentation
⎕UCS 'Hello World' ←→ 72 101 108 108 111 32 87 111 114 108 100
⎕UCS 123 40 43 47 9077 41 247 9076 9077 125 ←→ '{(+/⍵)÷⍴⍵}'
⎕UCS 2 2⍴65 66 67 68 ←→ 2 2⍴'ABCD'
⎕UCS ¯1 ←✗→ DOMAIN ERROR
⎕UCS 1114112 ←✗→ DOMAIN ERROR
'UTF-8' ⎕UCS 'ABCÆØÅ' ←→ 65 66 67 195 134 195 152 195 133
'UTF-8' ⎕UCS 195 134 195 152 195 133 ←→ 'ÆØÅ'
'UTF-8' 83 ⎕UCS 'ABCÆØÅ' ←→ 65 66 67 ¯61 ¯122 ¯61 ¯104 ¯61 ¯123
'UTF-8' 83 ⎕UCS ¯61 ¯122 ¯61 ¯104 ¯61 ¯123 ←→ 'ÆØÅ'
'UTF-16' ⎕UCS ⎕UCS 131073 131074 131075 ←→ 55360 56321 55360 56322 55360 56323
'UTF-16' ⎕UCS 55360 56321 ←→ ,⎕UCS 131073
'UTF-16' ⎕UCS 55360 65 ←✗→ DOMAIN ERROR: half a pair
'UTF-32' ⎕UCS 'γε' ←→ 947 949
'UTF-8' ⎕UCS 195 65 ←✗→ DOMAIN ERROR: not UTF-8
'UTF-9' ⎕UCS 65 ←✗→ DOMAIN ERROR
1 ⎕C 42 'Pete' 'Πέτρος' ←→ 42 'PETE' 'ΠΈΤΡΟΣ'
¯1 ⎕C 42 'Pete' 'Πέτρος' ←→ 42 'pete' 'πέτρος'
(⎕C 'ΊΣΩΣ')≡⎕C 'ίσως' ←→ 1
⎕C 'Straße' ←→ 'straße'
⎕VFI '2 -2 ¯2' ←→ (1 0 1)(2 0 ¯2)
⎕VFI '12.1 1E1 1A1 ¯10' ←→ (1 1 0 1)(12.1 10 0 ¯10)
',' ⎕VFI '3.9,2.4,,76,' ←→ (1 1 1 1 1)(3.9 2.4 0 76 0)
'⋄' ⎕VFI '1 ⋄ 2 3 ⋄ 4 ' ←→ (1 0 1)(1 0 4)
⎕VFI '' ←→ ⍬ ⍬
⎕A ←→ 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
⎕D ←→ '0123456789'
≢⎕TS ←→ 7
≢⎕AI ←→ 4
(0≤⎕DL 0)∧1>⎕DL 0.01 ←→ 1
⎕DL ¯1 ←✗→ DOMAIN ERROR
⎕JSON '[1,2.5,"x"]' ←~→ 1 2.5(,'x')
⎕JSON '{"a":[1,2],"b":"text"}' ←→ 2 2⍴(,'a')(1 2)(,'b')'text'
1 ⎕JSON ⎕JSON '{"a":[1,2.5,"x\ny"],"b":{"c":null,"d":[]},"e":true,"g":0.1}' ←→ '{"a":[1,2.5,"x\ny"],"b":{"c":null,"d":[]},"e":true,"g":0.1}'
⎕JSON 2 2⍴1 2 3 4 ←→ '[[1,2],[3,4]]'
⎕JSON '[1,' ←✗→ DOMAIN ERROR: JSON, line 1
⎕NGET '/tmp/aplaca_no_such_directory/name' ←✗→ FILE NAME ERROR: No such file
⎕NGET '/' ←✗→ FILE ACCESS ERROR
'x' ⎕NPUT '/tmp/aplaca_no_such_directory/name' ←✗→ FILE NAME ERROR
⍝ files: written, appended, read back
F←'/tmp/aplaca_quad_functions_test.txt'
(⊂'mene' 'mene' 'tekel' 'upharsin')⎕NPUT F 1 ←→ 25
'x' ⎕NPUT F ←✗→ FILE NAME ERROR: File exists
(⊂'adding' '3' 'lines')⎕NPUT F 2 ←→ 15
⎕NGET F 1 ←→ ('mene' 'mene' 'tekel' 'upharsin' 'adding' (,'3') 'lines')'UTF-8-NOBOM'(,10)
≢⊃⎕NGET F ←→ 40
⍴⊃⎕NGET F 2 ←→ 7 8
('aπ€'(,'b'))'UTF-16BE' (13 10)⎕NPUT F 1 ←→ 18
⎕NGET F 1 ←→ ('aπ€'(,'b'))'UTF-16BE-BOM'(13 10)
('a€b' 'ANSI' 13)⎕NPUT F 1 ←→ 4
⎕NGET F 1 ←→ ((,⊂'a€b')'Windows-1252'(,13))
'UTF-8' ⎕NGET F ←✗→ FILE DATA ERROR: not UTF-8 at byte 1
('a€b' 'ASCII')⎕NPUT F 1 ←✗→ DOMAIN ERROR: U+20AC
'' ⎕NPUT F 1 ←→ 0
⎕NGET F 1 ←→ ((0⍴⊂'')'UTF-8-NOBOM' ⍬)
