// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which messages become records, what thread they belong to, and when two messages are one (invariants 14 and
// 18). Pure: whoever asks the store what is known hands the answers over.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/policies.hpp"

namespace syncline::sync::plan {

/// What ties a message to others, in the order in which it is looked up.
struct ThreadKeys {
  std::vector<std::string> message_ids;  ///< In-Reply-To first, then References, the latest first; each once
  std::string token;                     ///< in the subject; empty: none
  std::string conversation;              ///< the conversation index's first 22 octets, in base64; empty: none
};
ThreadKeys thread_keys(const model::Fields& message, std::string_view token_prefix);

/// The Message-IDs ("<…>") in a header, in their order; of very many the last hundred. Reads anything.
std::vector<std::string> message_ids_in(std::string_view header);

/// "SYN:0000042" for a record; what `token_in` finds again where it is no part of a longer word.
std::string token_of(std::string_view prefix, model::RecordId record);
std::string token_in(std::string_view subject, std::string_view prefix);
/// The first 22 octets (header and GUID: MS-OXOMSG section 2.2.1.3), in base64, of a conversation index in
/// base64; empty if it is shorter or not base64.
std::string conversation_key(std::string_view conversation_index);

enum class MailFolder : std::uint8_t { received, sent };

/// What is known of a message when it is decided on.
struct MailFacts {
  MailFolder folder = MailFolder::received;
  bool correlated = false;              ///< to a tracked message
  std::string_view correlated_by = {};  ///< "in-reply-to", "references", "token", "conversation"
  bool known_contact = false;           ///< a person of it is a contact record
  bool known_record = false;            ///< a person of it is in any record
  bool automatic_of_ours = false;       ///< test mail, alert, report
  bool own_copy = false;                ///< the copy of a message we sent
  bool before_start = false;            ///< received before `process email from`
  bool draft = false;
};

struct TrackingDecision {
  bool track = false;
  std::string_view reason;  ///< of the journal
};
TrackingDecision decide_tracking(const MailFacts& facts, const model::MailPolicy& policy);

/// Equal for the copies of one message, and not for another one under the same Message-ID: of From, Date and
/// the words of the first text part.
std::string fingerprint(const model::Fields& message);

}  // namespace syncline::sync::plan
