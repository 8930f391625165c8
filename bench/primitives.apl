⍝ What bench/primitives.py drives: each line of standard input is executed, and answered by a line. `N repeat TEXT` runs an
⍝ expression N times; the driver has the clock.
⎕IO←1

∇N repeat TEXT
 FUNCTION←⎕FX 'round COUNT;I' ':For I :In ⍳COUNT' ('RESULT←',TEXT) ':EndFor'
 round N
∇

∇serve;LINE
 NEXT:LINE←⍞
 →(0=≢LINE)/0
 ⍎LINE
 ⎕←'done'
 →NEXT
∇
serve
