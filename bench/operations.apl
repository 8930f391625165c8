⍝ What an operation on small arrays costs: nanoseconds for each run of an expression, without the loop around it.
⎕IO←1
N←100000

∇MS←milliseconds
 ⍝ since the session began
 MS←⎕AI[3]
∇

∇NS←timed EXPRESSION;BEGIN;I;LOOP
 ⍝ the best of five rounds of N runs
 LOOP←⎕FX 'round' ':For I :In ⍳N'('Z←',EXPRESSION)':EndFor'
 NS←⌊/rounds 5
∇

∇NS←rounds COUNT;I;BEGIN
 NS←⍬
 :For I :In ⍳COUNT
  BEGIN←milliseconds
  round
  NS←NS,1E6×(milliseconds-BEGIN)÷N
 :EndFor
∇

S←5 ⋄ F←2.5 ⋄ V←⍳10 ⋄ W←10⍴1.5 ⋄ M←3 4⍴⍳12 ⋄ B←10⍴1 0 1 ⋄ C←'abcdefghij'
add←{⍺+⍵}
LOOP←timed 'S'
EXPRESSIONS←'S+7' 'F×F' 'V+V' 'W×W' 'V+S' 'V×W-S' '1+2×V÷S' 'S=V' '~B' 'B∧B' '+/V' '⌈/W' '+/B' 'V[3]' 'V[3 5]' 'M[2;]' '⍴M' '⍉M' '⌽V' '3↑V' '2↓V' 'V,S' 'V⍳3' 'C∊''ace''' 'B/V' '⍋V' '5 2⍴V' 'S add 7' '{⍵}V'
∇report;I;NS
 ⎕←'nanoseconds beyond an assignment (',(⍕⌊0.5+LOOP),' ns)'
 :For I :In ⍳≢EXPRESSIONS
  NS←(timed I⊃EXPRESSIONS)-LOOP
  ⎕←(12↑I⊃EXPRESSIONS),8 0⍕0⌈NS
 :EndFor
∇
report
