// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/message_cache.hpp"

#include <utility>

namespace syncline::imap {

std::size_t KeptContent::octets() const noexcept {
  std::size_t sum = as_received.size();
  for (const std::string& one : attachments) sum += one.size();
  return sum;
}

void MessageCache::put(std::string id, KeptContent content) {
  drop(id);
  const std::size_t octets = content.octets();
  if (!takes(octets) || octets > most_octets_) return;
  while (octets_ + octets > most_octets_ && !ages_.empty()) {
    const std::string oldest = ages_.front();
    drop(oldest);
  }
  octets_ += octets;
  ages_.push_back(id);
  entries_.emplace(std::move(id), Entry{std::move(content), octets, std::prev(ages_.end())});
}

const KeptContent* MessageCache::find(const std::string& id) const {
  const auto entry = entries_.find(id);
  return entry == entries_.end() ? nullptr : &entry->second.content;
}

void MessageCache::drop(const std::string& id) {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  octets_ -= entry->second.octets;
  ages_.erase(entry->second.age);
  entries_.erase(entry);
}

void MessageCache::clear() {
  octets_ = 0;
  ages_.clear();
  // The table of buckets goes as well.
  std::unordered_map<std::string, Entry>().swap(entries_);
}

}  // namespace syncline::imap
