// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace syncline {

/// How our programs end. The first that applies of bad_input, local_trouble, unreachable, refused.
enum class ExitStatus : int {
  done = 0,
  refused = 1,        ///< done, and something was rejected, refused or failed
  bad_input = 2,      ///< bad input or usage; nothing changed
  unreachable = 3,    ///< none of the servers asked for could be reached
  local_trouble = 4,  ///< store, disk, key, lock, newer schema
  interrupted = 130,  ///< work saved
};

}  // namespace syncline
