// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What discovery found, for a while. Not for several threads.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "model/mailbox_facts.hpp"

namespace syncline::ews::autodiscover {

/// True for errors that say a mailbox may live elsewhere now: class rediscover, HTTP 401 and 403, and the EWS
/// codes for a mailbox that is not there, a wrong server version, or an account that may not impersonate here
///
bool drops_discovery(const Error& error) noexcept;

class DiscoveryCache {
 public:
  explicit DiscoveryCache(const Clock& clock, std::chrono::milliseconds lifetime = std::chrono::hours(12),
                          std::size_t max_mailboxes = 100'000)
      : clock_(clock), lifetime_(lifetime), max_mailboxes_(max_mailboxes) {}

  /// Case of the address does not matter. nullopt: unknown or expired.
  std::optional<model::MailboxFacts> find(std::string_view address);
  /// Keyed by facts.address. When full, the entry that ends first makes room.
  void store(const model::MailboxFacts& facts);
  /// Forgets the mailbox if the error says that its place may have changed; true if there was something to
  /// forget.
  bool drop_after(std::string_view address, const Error& error);
  void drop(std::string_view address);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    model::MailboxFacts facts;
    SteadyTime ends;
  };

  const Clock& clock_;
  std::chrono::milliseconds lifetime_;
  std::size_t max_mailboxes_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::multimap<SteadyTime, std::string> by_end_;
};

}  // namespace syncline::ews::autodiscover
