⍝ What errors say: the kind, what disagreed, and inside handlers ⎕EN, ⎕EM and ⎕DM. Numbers and names are Dyalog APL's.
1 2+1 2 3 ←✗→ LENGTH ERROR: lengths 2 and 3
(2 3⍴1)+1 2 ←✗→ RANK ERROR: ranks 2 and 1
÷0 ←✗→ DOMAIN ERROR: ÷0
(⍳3)[4] ←✗→ INDEX ERROR: 4
nothing ←✗→ VALUE ERROR: nothing
1+ ←✗→ SYNTAX ERROR
(1 ←✗→ SYNTAX ERROR: ( is never closed
1) ←✗→ SYNTAX ERROR: ) closes nothing
1e6 1e6 1e6⍴0 ←✗→ WS FULL
⎕NOTHING ←✗→ NONCE ERROR: ⎕NOTHING
⍝ the caret stands under the function that failed, the line begins with where it is
1 2+1 2 3 ←✗→ LENGTH ERROR:          ∧
f←{÷⍵}
f 0 ←✗→ DOMAIN ERROR: f[0] f←{÷⍵}
g←{1+f ⍵}
⍝ the calls, from the innermost
g 0 ←✗→ DOMAIN ERROR: g[0] g←{1+f ⍵}
∇R←h X
 R←1
 R←f X
∇
h 0 ←✗→ DOMAIN ERROR: h[2] R←f X
⍝ event numbers and their names
⎕EM 11 ←→ 'DOMAIN ERROR'
⎕EM 1 2 3 4 5 6 ←→ 'WS FULL' 'SYNTAX ERROR' 'INDEX ERROR' 'RANK ERROR' 'LENGTH ERROR' 'VALUE ERROR'
{0::⎕EN ⋄ 1 2+⍵}1 2 3 ←→ 5
{0::⎕EM ⎕EN ⋄ ⍎'1+'}0 ←→ 'SYNTAX ERROR'
∇R←trapped X
 :Trap 0
  R←f X
 :Else
  R←⎕EN,⎕DM
 :EndTrap
∇
trapped 0 ←→ 11 'DOMAIN ERROR: ÷0' 'f[0] f←{÷⍵}' '        ∧'
⍝ after the handler the error is still the last one
⎕EN ←→ 11
⍝ a program's own errors
'too hot'⎕SIGNAL 500 ←✗→ ERROR 500: too hot
{500::⎕EN ⋄ 'too hot'⎕SIGNAL 500}0 ←→ 500
⍝ an error halfway leaves the variable as it was
HALF←1.5 2.5 3.5
HALF÷←1 1 0 ←✗→ DOMAIN ERROR
HALF ←→ 1.5 2.5 3.5
