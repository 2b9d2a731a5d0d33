// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/streaming_groups.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace syncline::ews {

std::vector<std::vector<std::string>> group_for_streaming(const std::vector<StreamingCandidate>& candidates,
                                                          std::size_t largest) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_place;
  for (const StreamingCandidate& one : candidates)
    by_place[{one.ews_url, one.grouping_information}].push_back(one.mailbox);
  std::vector<std::vector<std::string>> groups;
  for (auto& [place, mailboxes] : by_place) {
    std::ranges::sort(mailboxes);
    const auto repeated = std::ranges::unique(mailboxes);
    mailboxes.erase(repeated.begin(), repeated.end());
    for (std::size_t at = 0; at < mailboxes.size(); at += largest) {
      const std::size_t end = std::min(at + largest, mailboxes.size());
      groups.emplace_back(mailboxes.begin() + static_cast<std::ptrdiff_t>(at),
                          mailboxes.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }
  std::ranges::sort(groups, {}, [](const std::vector<std::string>& group) { return group.front(); });
  return groups;
}

}  // namespace syncline::ews
