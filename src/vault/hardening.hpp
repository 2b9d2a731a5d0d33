// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace syncline::vault {

/// No core file and no reading of this process's memory by others of the same user: PR_SET_DUMPABLE off,
/// RLIMIT_CORE 0 (invariant 23). Called before the first secret is read. Under a sanitizer the process stays
/// dumpable, because LeakSanitizer looks at it from outside.
void forbid_memory_dumps() noexcept;

}  // namespace syncline::vault
