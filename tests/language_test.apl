⍝ The language: functions, control structures, scope, errors. Expected values by hand or from the language's definition.
1 2 3 ←→ 1 2 3
¯1.5E3 ←→ ¯1500.0
'it''s' ←→ 'i','t','''','s'
(1 2)'ab' 3 ←→ (1 2)('ab')3
A B←1 2 ⋄ B,A ←→ 2 1
(A (B C))←1 (2 3) ⋄ C B A ←→ 3 2 1
fact←{⍵≤1:1 ⋄ ⍵×∇ ⍵-1}
fact 10 ←→ 3628800
add←{⍺←100 ⋄ ⍺+⍵}
add 5 ←→ 105
3 add 5 ←→ 8
{x←⍵ ⋄ {x+⍵}¨1 2 3} 10 ←→ 11 12 13
⍝ lexical scope: the x where the function was written, not where it runs
apply←{x←100 ⋄ ⍺⍺ ⍵}
{x←1 ⋄ {x+⍵}apply ⍵} 5 ←→ 6
twice←{⍺⍺ ⍺⍺ ⍵}
1∘add twice 0 ←→ 2
∇R←A average B;SUM
 SUM←A+B
 R←SUM÷2
∇
3 average 5 ←→ 4.0
∇R←gauss N;I
 R←0 ⋄ I←0
LOOP:→(N<I←I+1)/DONE
 R←R+I
 →LOOP
DONE:
∇
gauss 100 ←→ 5050
∇R←classify N
 :If N<0
  R←'negative'
 :ElseIf N=0
  R←'zero'
 :Else
  R←'positive'
 :EndIf
∇
classify¨¯1 0 1 ←→ 'negative' 'zero' 'positive'
∇R←squares N;I
 R←⍬
 :For I :In ⍳N
  :If I=3 ⋄ :Continue ⋄ :EndIf
  :If I=6 ⋄ :Leave ⋄ :EndIf
  R←R,I×I
 :EndFor
∇
squares 10 ←→ 1 4 16 25
∇R←collatz N
 R←0
 :While N≠1
  N←(1+2|N)⊃(N÷2)(1+3×N)
  R←R+1
 :EndWhile
∇
collatz 27 ←→ 111
∇R←choose X
 :Select X
 :Case 1 ⋄ R←'one'
 :CaseList 2 3 ⋄ R←'few'
 :Else ⋄ R←'many'
 :EndSelect
∇
choose¨1 3 7 ←→ 'one' 'few' 'many'
∇R←guarded X
 :Trap 11
  R←÷X
 :Else
  R←'caught'
 :EndTrap
∇
guarded 0 ←→ 'caught'
guarded 4 ←→ 0.25
∇R←repeat N
 R←1
 :Repeat
  R←R×2
 :Until R>N
∇
repeat 1000 ←→ 1024
∇R←either X
 :If X=1
 :OrIf X=5
  R←1
 :Else
  R←0
 :EndIf
∇
either¨1 2 5 ←→ 1 0 1
A←⍳5 ⋄ A[2 2 2]+←10 ⋄ A ←→ 1 32 3 4 5
X←1 2 3 ⋄ X×←2 ⋄ X ←→ 2 4 6
⍎'2+3' ←→ 5
{a←⍵ ⋄ ⍎'a+1'} 4 ←→ 5
⎕FX 'R←cube X' 'R←X×X×X' ←→ 'cube'
cube 3 ←→ 27
⎕NC 'cube' ←→ 3
(⎕NC ⊂'nothing') ←→ ,0
1 2+1 2 3 ←✗→ LENGTH ERROR: 2 and 3
nosuch ←✗→ VALUE ERROR: nosuch
÷0 ←✗→ DOMAIN ERROR
(1+2 ←✗→ SYNTAX ERROR: never closed
1+ ←✗→ SYNTAX ERROR
1J2 ←✗→ NONCE ERROR: complex
⎕SIGNAL 500 ←✗→ ERROR 500
{∇⍵} 1 ←✗→ LIMIT ERROR
⍝ error guards: the nearest that names the error; it ends with the error that it takes
{0::'caught' ⋄ ÷⍵}0 ←→ 'caught'
{0::'caught' ⋄ ÷⍵}4 ←→ 0.25
{11::'domain' ⋄ 5::'length' ⋄ 1 2+⍵}1 2 3 ←→ 'length'
{11::'domain' ⋄ 5::'length' ⋄ ÷0}1 ←→ 'domain'
{3::'index' ⋄ ÷0}1 ←✗→ DOMAIN ERROR
{0::⎕EN ⋄ {11::÷0 ⋄ ÷⍵}⍵}0 ←→ 11
{11::⎕SIGNAL 5 ⋄ ÷0}0 ←✗→ LENGTH ERROR
depth←{0::⍵ ⋄ ⍵=5:÷0 ⋄ ∇ ⍵+1}
depth 0 ←→ 5
⍝ a guard whose result begins with the letters of a control word
{c←⍵ ⋄ c=1:end←3 ⋄ 4}2 ←→ 4
⍝ ∇∇ is the operator itself
power←{⍵=0:⍺ ⋄ (⍺⍺ ⍺)(⍺⍺ ∇∇)⍵-1}
2 (×∘3 power) 4 ←→ 162
{∇∇ ⍵}1 ←✗→ SYNTAX ERROR: ∇∇
⍝ :InEach takes one item for each name
∇R←pairs X;A;B
 R←⍬
 :For A B :InEach X
  R←R,A×B
 :EndFor
∇
pairs (1 2 3)(4 5 6) ←→ 4 10 18
pairs (1 2 3)(4 5) ←✗→ LENGTH ERROR
pairs ⍬⍬ ←→ ⍬
∇R←singles X;A
 R←0
 :For A :InEach ⊂X
  R←R+A
 :EndFor
∇
singles 1 2 3 ←→ 6
⍝ localised system variables get their values back, also after an error
∇R←from_zero X;⎕IO
 ⎕IO←0
 R←⍳X
∇
from_zero 3 ←→ 0 1 2
⍳3 ←→ 1 2 3
∇R←fails X;⎕IO;⎕PP
 ⎕IO←0 ⋄ ⎕PP←3
 R←÷0
∇
fails 1 ←✗→ DOMAIN ERROR
⎕IO,⎕PP ←→ 1 10
⎕FX 'R←f;⎕TS' 'R←1' ←→ 0
(1 2 3)[2]←5 ←✗→ SYNTAX ERROR
(2↑X)←5 ←✗→ NONCE ERROR: selective assignment
⍝ a label is its own function's alone: what is called may have a variable of that name, and recursion leaves it as it is
∇R←own;L
 L←5
 R←L
∇
∇R←labelled
L:R←own
∇
labelled ←→ 5
∇R←relabels N
 →(N=0)/L
 R←relabels N-1
L:L←3
∇
relabels 1 ←✗→ SYNTAX ERROR: L is a label
⍝ a name that takes another meaning while the statement runs: an error, or what it means then
∇gone
 ⎕EX 'gone'
 LEFT←1
∇
{1=⎕EX 'gone':gone ⋄ 0} 0 ←✗→ VALUE ERROR: gone has no value
∇R←changed
 R←1
∇
{_←⎕EX 'changed' ⋄ _←⍎'changed←7' ⋄ 1:changed} 0 ←→ 7
twist←{⍺⍺ ⍵}
(- twist) ⍎'twist←+ ⋄ 5' ←✗→ SYNTAX ERROR: a function where an operator is needed
⍝ a function may erase itself while it runs
∇R←erased
 R←⎕EX 'erased'
 R←R,⎕NC 'erased'
∇
erased ←→ 1 0
⍝ only a function that has a text of its own shows it
points←⎕UCS
⎕CR 'points' ←→ 0 0⍴''
⍝ the function of a modified assignment may do as it likes with the name: the name takes the result
X←⍳3 ⋄ X[1]{_←⎕EX 'X' ⋄ ⍺+⍵}←5 ⋄ X ←→ 6 2 3
X←⍳3 ⋄ X[1]{⍎'X←{⍵}' ⋄ ⍺+⍵}←5 ⋄ X ←→ 6 2 3
⍝ :For gives several names the items of a transposed matrix in its own order
∇R←spread M;A;B;C;D;E;F;G;H;I
 :For A B C D E F G H I :In ⊂M
  R←A B C D E F G H I
 :EndFor
∇
spread ⍉3 3⍴(⍳9)÷2 ←→ 0.5 2 3.5 1 2.5 4 1.5 3 4.5
⍝ the innermost meaning of a name is the one that counts
{a←5 ⋄ {a←{⍵} ⋄ ⎕NC 'a'} 0} 0 ←→ 3
{a←5 ⋄ ⍎'⎕NC ''a'''} 0 ←→ 2
⍝ ⍎ of a text that gives no value has none to give
1+⍎'named←{⍵}' ←✗→ VALUE ERROR: the function gave no result
⍎¨'named←{⍵}' '5' ←✗→ VALUE ERROR
⍝ an operand that gives no result, under every operator that needs one
(1 2){⍎''}.+3 4 ←✗→ VALUE ERROR: the operand function gave no result
(1 2)+.{⍎''}3 4 ←✗→ VALUE ERROR: the operand function gave no result
{⍎''}/1 2 3 ←✗→ VALUE ERROR: the operand function gave no result
{⍎''}\1 2 3 ←✗→ VALUE ERROR: the operand function gave no result
1 2∘.{⍎''}3 4 ←✗→ VALUE ERROR: the operand function gave no result
{A←1 2 3 ⋄ A[1]{⍎''}←3}0 ←✗→ VALUE ERROR: the operand function gave no result
⍝ a statement whose tree would be deeper than the stack
⍎'+',(100000⍴'¨'),'3' ←✗→ LIMIT ERROR: a statement of more than 20000
⍎'3',100000⍴'[]' ←✗→ LIMIT ERROR: a statement of more than 20000
⍝ a shape with a zero is small, wherever the zero stands
⍴(4611686018427387904 4 0)⍴0 ←→ 4611686018427387904 4 0
