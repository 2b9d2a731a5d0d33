// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How far a mailbox has looked among changes for records that are new to it: a cursor of its own for each
// kind, with the number of the last change as text and the version of the filters in its notes.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "model/record.hpp"

namespace syncline::sync::plan {

inline std::string outbound_mark(model::RecordKind kind) {
  return "!outgoing-" + std::string(to_string(kind));
}

/// 0 with other filters: all records are looked at again.
inline std::int64_t looked_until(const std::string& text, std::string_view notes, std::string_view version) {
  return notes == version ? std::strtoll(text.c_str(), nullptr, 10) : 0;
}

}  // namespace syncline::sync::plan
