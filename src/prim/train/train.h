/* Trains: functions side by side, as one function. */
#ifndef APLI_PRIM_TRAIN_H
#define APLI_PRIM_TRAIN_H

#include "prim/prim.h"

/* (f g h): (X f Y) g (X h Y); (A g h): A g (X h Y). Retains its parts. */
AplErr apli_train_fork(AplOperand left, AplFunction *middle, AplFunction *right, AplFunction **result);
/* (g h): g (X h Y). */
AplErr apli_train_atop(AplFunction *middle, AplFunction *right, AplFunction **result);

#endif
