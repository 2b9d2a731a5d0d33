// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The whole catalogue. Each group of rules is a file of its own (rules_a_request.cpp … rules_h_ews_end.cpp).
#include <span>
#include <string_view>
#include <vector>

#include "routing/rules/rule.hpp"

namespace syncline::rules {

struct Group {
  char letter;
  std::string_view title;  ///< English, key of its translation
  std::vector<Rule> rules;
};

/// In catalogue order. Built on first use.
std::span<const Group> groups();
/// All rules, in catalogue order; pointers stay valid.
std::span<const Rule* const> all_rules();
/// nullptr if there is no such rule. The case of letters does not matter.
const Rule* find_rule(std::string_view id);

struct ProtocolPair {
  Word incoming, outgoing;
};
/// The protocol pairs that a profile type allows; none for `none`.
std::span<const ProtocolPair> allowed_pairs(Word profile_type) noexcept;

/// Key in `Rule::source` and the page it stands for.
struct SourceKey {
  std::string_view key;
  std::string_view page;
};
std::span<const SourceKey> source_keys() noexcept;

}  // namespace syncline::rules
