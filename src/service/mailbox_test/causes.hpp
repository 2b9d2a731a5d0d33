// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Why a step of a test failed, and what to do: one table from the codes and words of all protocols to causes
// in our own words. docs/mailbox-test.md lists the same causes; a test compares them.
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace syncline::service {

struct Cause {
  std::string_view id;
  std::string_view text;
  std::string_view remedy;
};

/// In alphabetical order of their ids.
std::span<const Cause> causes() noexcept;
/// nullptr: there is none of that id.
const Cause* find_cause(std::string_view id) noexcept;

/// The most likely cause of an error; total.
const Cause& cause_of(const Error& error);

}  // namespace syncline::service
