// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/hardening.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SYNCLINE_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SYNCLINE_SANITIZED 1
#endif

namespace syncline::vault {

void forbid_memory_dumps() noexcept {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#if !defined(SYNCLINE_SANITIZED)
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

}  // namespace syncline::vault
