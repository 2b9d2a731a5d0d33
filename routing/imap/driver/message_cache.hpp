// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Messages that were read as a whole, until their octets are asked for: reading fields and keeping the
// message cost one transfer. Bounded; what is not here is fetched again.
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

namespace syncline::imap {

class MessageCache {
 public:
  MessageCache(std::size_t most_octets, std::size_t largest_message)
      : most_octets_(most_octets), largest_message_(largest_message) {}

  bool takes(std::uint64_t octets) const noexcept { return octets <= largest_message_; }
  /// The oldest go where there is no room.
  void put(std::string id, std::string octets);
  /// nullptr: not here. Valid until the next put() or drop().
  const std::string* find(const std::string& id) const;
  void drop(const std::string& id);
  void clear();
  std::size_t octets() const noexcept { return octets_; }

 private:
  struct Entry {
    std::string octets;
    std::list<std::string>::iterator age;
  };
  std::size_t most_octets_;
  std::size_t largest_message_;
  std::size_t octets_ = 0;
  std::list<std::string> ages_;  ///< oldest first
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace syncline::imap
