// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/autodiscover/cache.hpp"

#include "base/text.hpp"

namespace syncline::ews::autodiscover {

bool drops_discovery(const Error& error) noexcept {
  if (error.retry == RetryClass::rediscover) return true;
  if (error.http_status == 401 || error.http_status == 403) return true;
  for (const std::string_view code :
       {"ErrorNonExistentMailbox", "ErrorMailboxMoveInProgress", "ErrorWrongServerVersion",
        "ErrorWrongServerVersionDelegate", "ErrorImpersonateUserDenied", "ErrorImpersonationFailed",
        "ErrorProxyRequestNotAllowed", "ErrorNoRespondingCASInDestinationSite"}) {
    if (error.code == code) return true;
  }
  return false;
}

std::optional<model::MailboxFacts> DiscoveryCache::find(std::string_view address) {
  const auto found = entries_.find(text::to_lower_ascii(address));
  if (found == entries_.end()) return std::nullopt;
  if (clock_.steady_now() >= found->second.ends) {
    drop(address);
    return std::nullopt;
  }
  return found->second.facts;
}

void DiscoveryCache::store(const model::MailboxFacts& facts) {
  const std::string key = text::to_lower_ascii(facts.address);
  drop(key);
  if (max_mailboxes_ == 0) return;
  if (entries_.size() >= max_mailboxes_) drop(std::string(by_end_.begin()->second));
  const SteadyTime ends = clock_.steady_now() + lifetime_;
  entries_.emplace(key, Entry{facts, ends});
  by_end_.emplace(ends, key);
}

bool DiscoveryCache::drop_after(std::string_view address, const Error& error) {
  if (!drops_discovery(error) || !entries_.contains(text::to_lower_ascii(address))) return false;
  drop(address);
  return true;
}

void DiscoveryCache::drop(std::string_view address) {
  const auto found = entries_.find(text::to_lower_ascii(address));
  if (found == entries_.end()) return;
  const auto [first, last] = by_end_.equal_range(found->second.ends);
  for (auto at = first; at != last; ++at) {
    if (at->second == found->first) {
      by_end_.erase(at);
      break;
    }
  }
  entries_.erase(found);
}

}  // namespace syncline::ews::autodiscover
