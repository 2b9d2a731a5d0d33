// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// One message on an open session: MAIL, RCPT, and the text by DATA or BDAT, in as few round trips as the
// server allows; a result for each recipient, and what is known when the conversation breaks off.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/body.hpp"
#include "routing/smtp/channel.hpp"

namespace syncline::smtp {

struct Envelope {
  std::string sender = {};  ///< empty: "<>", for reports that must not be reported on
  std::vector<std::string> recipients = {};
  bool eight_bit = false;        ///< the text has octets above 127
  bool smtputf8 = false;         ///< its header fields have
  std::string envelope_id = {};  ///< for delivery reports; empty: none
};

struct RecipientResult {
  enum class State : std::uint8_t {
    accepted,
    temporary,  ///< worth another try (RFC 5321 4yz, or never asked)
    permanent,
  };
  std::string address = {};
  State state = State::temporary;
  Error error = {};  ///< of temporary and permanent
};
/// Of a recipient about whom the server has said nothing.
inline constexpr std::string_view code_not_asked = "not-asked";

struct Delivery {
  enum class State : std::uint8_t {
    accepted,  ///< for the recipients that are `accepted`
    refused,   ///< certain: the message did not go out
    unknown,   ///< the server may have it (invariant 6: never a bare retry)
  };
  State state = State::refused;
  std::vector<RecipientResult> recipients = {};  ///< as in the envelope; of `unknown`: as far as it was said
  std::string reply = {};                        ///< accepted: the server's last words, with its queue id
  Error error = {};                              ///< of refused and unknown
};

/// Called once, right before octets go out with which the server may take the message over. An error stops
/// the transaction, and nothing was sent.
using BeforeCommit = std::function<Result<void>()>;

struct TransactionSettings {
  std::chrono::milliseconds command = std::chrono::minutes(5);  ///< RFC 5321 section 4.5.3.2
  std::chrono::milliseconds content = std::chrono::minutes(3);
  std::chrono::milliseconds verdict = std::chrono::minutes(10);  ///< after the last octet
  bool use_chunking = true;
  bool use_pipelining = true;
};

/// `text` is rewound first. Errors are in the Delivery.
net::Async<Delivery> run_transaction(Channel& channel, const TransactionSettings& settings,
                                     const Envelope& envelope, net::Source& text,
                                     const BeforeCommit& before_commit);

}  // namespace syncline::smtp
