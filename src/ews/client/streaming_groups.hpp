// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which mailboxes share a streaming connection: those that Autodiscover gave the same GroupingInformation and
// EWS address, at most 200 subscriptions together. Pure.
#include <cstddef>
#include <string>
#include <vector>

namespace syncline::ews {

struct StreamingCandidate {
  std::string mailbox;               ///< SMTP address
  std::string ews_url;               ///< ExternalEwsUrl
  std::string grouping_information;  ///< empty where the server gave none
};

constexpr std::size_t largest_streaming_group = 200;

/// Groups in the order of their first mailbox; within a group the addresses in alphabetical order, so that
/// the same mailboxes have the same anchor after a restart. The first address of a group is its anchor.
std::vector<std::vector<std::string>> group_for_streaming(const std::vector<StreamingCandidate>& candidates,
                                                          std::size_t largest = largest_streaming_group);

}  // namespace syncline::ews
