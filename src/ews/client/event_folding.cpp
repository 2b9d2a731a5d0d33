// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/event_folding.hpp"

#include <algorithm>
#include <utility>

namespace syncline::ews {

void EventFolding::add(const std::string& key, SteadyTime now) {
  const auto [found, fresh] = waiting_.try_emplace(key, Waiting{.first = now, .last = now});
  if (!fresh) found->second.last = now;
}

std::optional<SteadyTime> EventFolding::next_due() const {
  std::optional<SteadyTime> next;
  for (const auto& [key, waiting] : waiting_) {
    if (!next || due(waiting) < *next) next = due(waiting);
  }
  return next;
}

std::vector<std::string> EventFolding::take_due(SteadyTime now) {
  std::vector<std::pair<SteadyTime, std::string>> ready;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (due(it->second) <= now) {
      ready.emplace_back(it->second.first, it->first);
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
  std::ranges::sort(ready);
  std::vector<std::string> keys;
  keys.reserve(ready.size());
  for (auto& [first, key] : ready) keys.push_back(std::move(key));
  return keys;
}

}  // namespace syncline::ews
