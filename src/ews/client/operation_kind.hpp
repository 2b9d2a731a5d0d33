// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a request does to the server, which decides its budgets and what a lost reply means.
#include <string_view>

#include "base/error.hpp"

namespace syncline::ews {

enum class OperationKind {
  read,     ///< may be repeated
  sync,     ///< a read that also counts against ConcurrentSyncCalls
  write,    ///< a lost reply leaves it uncertain (invariant 6)
  hanging,  ///< GetStreamingEvents
};

/// By the operation's name on the wire; an unknown one is a write.
OperationKind kind_of(std::string_view operation) noexcept;

/// Whether the server may have done the write although this error came back: the connection was lost after
/// the request may have arrived, or the answer was cut or unreadable, or the server itself did not know. An
/// answer that says no, and an error before anything was sent, are certain.
bool may_have_been_done(const Error& error) noexcept;

}  // namespace syncline::ews
