⍝ Attention over a cache of keys and values, shared by all sequences.
⎕IO←0

∇R←softmax X
 ⍝ kernel: softmax
 ⍝ along the last axis
 R←({*⍵-⌈/⍵}⍤1)X
 R←({⍵÷+/⍵}⍤1)R
∇

∇R←Q attention CACHE;K;V;MASK;GROUP;SCORES
 ⍝ kernel: attention
 ⍝ softmax(Q·K÷√dim)·V (Vaswani et al. 2017), heads sharing the keys of their group (Ainslie et al. 2023)
 ⍝ Q (tokens heads dim); K V (rows groups dim); MASK (tokens rows)
 (K V MASK)←CACHE
 GROUP←⌊(⍳(⍴Q)[1])×(⍴K)[1]÷(⍴Q)[1]
 K←(2 0 1⍉K)[GROUP;;]                              ⍝ (heads dim rows)
 V←(1 0 2⍉V)[GROUP;;]                              ⍝ (heads rows dim)
 SCORES←((1 0 2⍉Q)(+.×⍤2)K)÷(¯1↑⍴Q)*0.5            ⍝ (heads tokens rows)
 R←(softmax SCORES-[1 2]1E30×~MASK)(+.×⍤2)V        ⍝ (heads tokens dim)
 R←1 0 2⍉R
∇

∇R←X project WEIGHTS
 ⍝ kernel: project
 ⍝ the products of X with each matrix of WEIGHTS
 R←{X+.×⍉⍵}¨WEIGHTS
∇

∇R←L self_attention X;Q;K;V
 ⍝ (tokens width): layer L; the tokens' keys and values go to their ROWS of the cache first;
 ⍝ QUERIES and GROUPS are the shapes of vectors cut into heads, JOINED that of heads joined again
 (Q K V)←X project WQ[L;;]WK[L;;]WV[L;;]
 KEYS[L;ROWS;;]←ROTATION rotate GROUPS⍴K
 VALUES[L;ROWS;;]←GROUPS⍴V
 Q←ROTATION rotate QUERIES⍴Q
 R←(JOINED⍴Q attention KEYS[L;;;]VALUES[L;;;]MASK)+.×⍉WO[L;;]
∇
