⍝ Tokens to vectors, vectors to logits, and the angles of positions.
⎕IO←0

∇X←embed TOKENS
 ⍝ (tokens width): each token's row
 X←EMBEDDING[TOKENS;]
∇

∇LOGITS←unembed X
 ⍝ (tokens vocabulary)
 LOGITS←X+.×⍉OUTPUT
∇

∇ROTATION←angles POS;ANGLES;HALF;PAIRS
 ⍝ cosines and sines (tokens half), and which elements of a head turn together (2 half)
 HALF←⌊ROPE_DIMS÷2
 ANGLES←POS∘.×÷ROPE_FACTORS×ROPE_BASE*(⍳HALF)÷HALF
 PAIRS←(2,HALF)⍴⍳ROPE_DIMS
 →('h'=1↑ROPE_PAIRING)/DONE
 PAIRS←⍉(HALF,2)⍴⍳ROPE_DIMS
DONE:ROTATION←(2○ANGLES)(1○ANGLES)PAIRS
∇

∇R←ROTATION rotate X;COS;SIN;PAIRS;A;B
 ⍝ kernel: rotate
 ⍝ rotary position embedding (Su et al. 2021): X (tokens heads dim), each pair (A,B) turned by its angle
 (COS SIN PAIRS)←ROTATION
 A←X[;;PAIRS[0;]]
 B←X[;;PAIRS[1;]]
 R←X
 R[;;PAIRS[0;]]←(A×[0 2]COS)-B×[0 2]SIN
 R[;;PAIRS[1;]]←(A×[0 2]SIN)+B×[0 2]COS
∇
