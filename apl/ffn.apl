⍝ The feed-forward network.
⎕IO←0

∇R←G gated U
 ⍝ kernel: gated
 ⍝ SwiGLU (Shazeer 2020): U×G×σ(G), with σ(G) as (1+tanh G÷2)÷2
 R←U×G×0.5×1+7○0.5×G
∇

∇R←L feed_forward X
 ⍝ (tokens width): layer L
 R←((X+.×⍉W_GATE[L;;])gated X+.×⍉W_UP[L;;])+.×⍉W_DOWN[L;;]
∇
