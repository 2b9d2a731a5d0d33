/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What jemalloc reads when a program begins (https://jemalloc.net/jemalloc.3.html, TUNING). One arena, because a
   program has a few threads that hand each other what they make; what is free goes back to the system within half a
   second: a daemon is idle most of its life, and a first synchronisation should leave no peak behind. */
const char* malloc_conf = "narenas:1,dirty_decay_ms:500,muzzy_decay_ms:0,lg_tcache_max:13";
