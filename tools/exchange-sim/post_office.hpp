// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The border between the mailboxes and the transport of mail: what comes from elsewhere goes in here, and
// what is for people elsewhere comes out. The mailboxes know no sockets; the transport knows no items.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace exchange_sim {

/// A message that has left a mailbox, for the recipients who have none here.
struct OutgoingMail {
  std::string from;             ///< address of the mailbox it left
  std::vector<std::string> to;  ///< as the message names them, each once; not checked
  std::string subject;          ///< UTF-8
  std::string message_id;       ///< as in the message
  std::string mime;             ///< with From, Date and Message-ID, without Bcc
};

class PostOffice {
 public:
  virtual ~PostOffice() = default;
  /// The primary address of the mailbox with this address or alias; empty if there is none.
  virtual std::string mailbox_of(std::string_view address) const = 0;
  /// New mail from elsewhere into the Inbox, kept octet for octet; gives the item's id. Error:
  /// ErrorNonExistentMailbox.
  virtual syncline::Result<std::string> deliver(std::string_view mailbox, std::string_view mime) = 0;
  /// Called (synchronously, while a request is handled) for every message with such recipients. An empty
  /// function ends it: then nobody makes the message's octets.
  virtual void on_outgoing(std::function<void(OutgoingMail)> callback) = 0;
};

}  // namespace exchange_sim
