// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a mailbox's state says of its runs; the engine writes it after each of them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::service {

struct LastRun {
  std::optional<SystemTime> succeeded_at = std::nullopt;  ///< end of the last one that went well
  bool failed = false;
  std::int64_t errors_in_a_row = 0;
  std::string error_code = {};  ///< empty: it went well, or there was none
  std::string error_text = {};
};

/// `state`: of a mailbox's row; whatever it is not readable as is as if there had been no run.
LastRun read_last_run(std::string_view state);

}  // namespace syncline::service
