// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/mail_owner.hpp"

#include <algorithm>

namespace syncline::sync::plan {

OwnerDecision owner_of(const OwnerFacts& facts) {
  if (facts.is_shared)
    for (const std::vector<std::string>& people : facts.listed) {
      if (people.empty()) continue;
      const auto names = [&](std::string_view who) {
        return !who.empty() && std::find(people.begin(), people.end(), who) != people.end();
      };
      if (names(facts.related_owner)) return {.owner = std::string(facts.related_owner), .reason = "related"};
      if (names(facts.sender_owner)) return {.owner = std::string(facts.sender_owner), .reason = "sender"};
      return {.owner = people.front(), .reason = "recipient"};
    }
  return {.owner = std::string(facts.mailbox_owner), .reason = "mailbox"};
}

Match match_of(const std::vector<AddressHolder>& candidates, std::string_view owner) {
  if (candidates.empty()) return {};
  if (candidates.size() > most_candidates) return {.record = 0, .is_one_of_several = true};
  const auto is_own = [&](const AddressHolder& candidate) { return candidate.owner == owner; };
  const auto own = std::count_if(candidates.begin(), candidates.end(), is_own);
  const auto best = std::find_if(candidates.begin(), candidates.end(), is_own);
  return {.record = best != candidates.end() ? best->record : candidates.front().record,
          .is_one_of_several = own > 1 || (own == 0 && candidates.size() > 1)};
}

}  // namespace syncline::sync::plan
