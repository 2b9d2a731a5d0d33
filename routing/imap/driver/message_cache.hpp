// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Messages that were read as a whole, until their content is asked for: reading fields and keeping the
// content cost one transfer. Bounded; what is not here is fetched again.
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace syncline::imap {

/// What is kept of a message.
struct KeptContent {
  std::string as_received = {};               ///< empty: not kept
  std::vector<std::string> attachments = {};  ///< decoded, in the order of mime::Message::attachments

  std::size_t octets() const noexcept;
};

class MessageCache {
 public:
  MessageCache(std::size_t most_octets, std::size_t largest_message)
      : most_octets_(most_octets), largest_message_(largest_message) {}

  bool takes(std::uint64_t octets) const noexcept { return octets <= largest_message_; }
  /// The oldest go where there is no room.
  void put(std::string id, KeptContent content);
  /// nullptr: not here. Valid until the next put() or drop().
  const KeptContent* find(const std::string& id) const;
  void drop(const std::string& id);
  void clear();
  std::size_t octets() const noexcept { return octets_; }

 private:
  struct Entry {
    KeptContent content;
    std::size_t octets;
    std::list<std::string>::iterator age;
  };
  std::size_t most_octets_;
  std::size_t largest_message_;
  std::size_t octets_ = 0;
  std::list<std::string> ages_;  ///< oldest first
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace syncline::imap
