⍝ A decoder of the Llama family. Weights and configuration are variables: layer L's query weights are WQ[L;;].
⍝ The cache: KEYS VALUES (layers rows groups dim), and for each row its position CACHE_POS and its sequence CACHE_SEQ,
⍝ ¯1 where it is free. Prompts, generation and batches are one function on different rows.
⎕IO←0

∇allocate CAPACITY
 ⍝ an empty cache of CAPACITY rows
 KEYS←(NUM_LAYERS,CAPACITY,KV_GROUPS,HEAD_DIM)⍴0
 VALUES←KEYS
 CACHE_POS←CAPACITY⍴0
 CACHE_SEQ←CAPACITY⍴¯1
∇

∇forget WHICH
 ⍝ frees the rows WHICH (Boolean, one a row)
 CACHE_SEQ[WHICH/⍳⍴CACHE_SEQ]←¯1
∇

∇R←SEQ visible POS
 ⍝ (tokens rows): a token looks at its own sequence, at its own and earlier positions, within the window if there is one
 R←(SEQ∘.=CACHE_SEQ)∧POS∘.≥CACHE_POS
 →(WINDOW_SIZE=0)/0
 R←R∧WINDOW_SIZE>POS∘.-CACHE_POS
∇

∇LOGITS←llama BATCH;TOKENS;POS;SEQ;WANTED;ROWS;MASK;ROTATION;QUERIES;GROUPS;JOINED;X;L
 ⍝ (wanted vocabulary): BATCH is tokens, the position and the sequence of each, and the tokens whose logits are wanted
 (TOKENS POS SEQ WANTED)←BATCH
 ROWS←((CACHE_SEQ=¯1)/⍳⍴CACHE_SEQ)[⍳⍴TOKENS]
 CACHE_POS[ROWS]←POS
 CACHE_SEQ[ROWS]←SEQ
 MASK←SEQ visible POS
 ROTATION←angles POS
 QUERIES←(⍴TOKENS),NUM_HEADS,HEAD_DIM
 GROUPS←(⍴TOKENS),KV_GROUPS,HEAD_DIM
 JOINED←(⍴TOKENS),NUM_HEADS×HEAD_DIM
 X←embed TOKENS
 L←0
LAYER:
 X←X+L self_attention(NORM_ATTENTION[L;]NORM_EPSILON)rms_norm X
 X←X+L feed_forward(NORM_FFN[L;]NORM_EPSILON)rms_norm X
 →(NUM_LAYERS>L←L+1)/LAYER
 LOGITS←unembed(NORM_FINAL NORM_EPSILON)rms_norm X[WANTED;]
∇
