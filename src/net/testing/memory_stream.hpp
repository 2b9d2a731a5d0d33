// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A connection inside the process, with the faults that networks have.
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "net/environment.hpp"

namespace syncline::net::testing {

/// What goes wrong on one end of a connection. Octets are counted as that end sees them.
struct StreamFaults {
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  std::size_t fragment_octets = no_limit;          ///< a read gives at most so many
  std::chrono::milliseconds delay{0};              ///< what is written arrives so much later
  std::optional<std::uint64_t> cut_after_read;     ///< the connection ends after so many octets were read …
  std::optional<std::uint64_t> cut_after_written;  ///< … or written
  bool cut_by_reset = false;  ///< a cut is a "connection-reset" instead of an orderly end
  std::optional<std::uint64_t>
      fail_operation;       ///< the n-th read or write (from 0) fails with "connection-reset"
  bool black_hole = false;  ///< nothing arrives any more, in both directions, and nobody is told
  std::size_t window_octets = 256 * 1024;  ///< a write waits while so much is unread (a stalled reader)
};

/// Two ends of one connection; the faults are of the first and of the second end. Runs on the environment's
/// executor.
std::pair<StreamPtr, StreamPtr> memory_stream_pair(Environment& environment, StreamFaults first = {},
                                                   StreamFaults second = {});

}  // namespace syncline::net::testing
