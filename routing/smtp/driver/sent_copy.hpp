// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The Sent folder, as sending needs it: evidence of what went out (invariant 6), and the sender's own copy
// (invariant 17). The folder itself is another protocol's: it comes as two functions.
#include <functional>
#include <optional>
#include <string>

#include "model/profile.hpp"
#include "net/environment.hpp"
#include "sync/driver.hpp"

namespace syncline::smtp {

/// What a sent message is known by: Message-ID, X-Microsoft-Original-Message-ID (Outlook.com and Exchange
/// write a Message-ID of their own and keep ours there), and our header field.
struct SentMark {
  std::string message_id = {};
  std::string operation_id = {};
};

/// Looks in the Sent folder by each of the three; nullopt: it is not there.
using FindSent = std::function<Async<std::optional<sync::RemoteRef>>(SentMark mark)>;
/// Puts a copy there, marked as read.
using AppendSent = std::function<Async<sync::RemoteRef>(sync::ContentSource& text, SentMark mark)>;

/// What is done about the copy in the Sent folder; Gmail, Outlook.com and Exchange save one.
using model::SentCopies;

struct SentFolder {
  FindSent find = {};      ///< empty: there is no Sent folder to look in (POP3)
  AppendSent append = {};  ///< empty: nothing can be put there
  SentCopies copies = SentCopies::automatic;
};

/// Looks until the copy is there or `until` has passed, every `pause`; at least once. Errors: of the last
/// look.
Async<std::optional<sync::RemoteRef>> await_sent(net::Environment& environment, const FindSent& find,
                                                 const SentMark& mark, SystemTime until,
                                                 std::chrono::milliseconds pause);

}  // namespace syncline::smtp
