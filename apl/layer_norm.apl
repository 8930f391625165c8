⍝ Normalization of each token's vector.
⎕IO←0

∇R←NORM rms_norm X;GAIN;EPSILON
 ⍝ kernel: rms_norm
 ⍝ X ÷ its root mean square (Zhang, Sennrich 2019), along the last axis, each element with its gain
 (GAIN EPSILON)←NORM
 R←GAIN×[¯1+⍴⍴X]X÷[⍳¯1+⍴⍴X](EPSILON+(+/X×X)÷¯1↑⍴X)*0.5
∇
