⍝ Normalization of each token's vector.
⎕IO←0

∇R←EPSILON rms_norm X
 ⍝ kernel: rms_norm
 ⍝ X ÷ its root mean square (Zhang, Sennrich 2019), along the last axis
 R←X÷[⍳¯1+⍴⍴X](EPSILON+(+/X×X)÷¯1↑⍴X)*0.5
∇

∇R←GAIN normalized X
 ⍝ (tokens width), each element with its gain
 R←GAIN×[1]NORM_EPSILON rms_norm X
∇
