⍝ The feed-forward network.
⎕IO←0

∇R←X gated WEIGHTS;GATE;UP;G
 ⍝ kernel: gated
 ⍝ SwiGLU (Shazeer 2020): (X+.×⍉UP)×G×σ(G), with σ(G) as (1+tanh G÷2)÷2
 (GATE UP)←WEIGHTS
 G←X+.×⍉GATE
 R←(X+.×⍉UP)×G×0.5×1+7○0.5×G
∇

∇R←L feed_forward X
 ⍝ (tokens width): layer L
 R←(X gated W_GATE[L;;]W_UP[L;;])+.×⍉W_DOWN[L;;]
∇
