// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Whose record a received message becomes, and which contact an address means where several hold it. Pure:
// whoever asks the store what is known hands the answers over.
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"

namespace syncline::sync::plan {

struct OwnerFacts {
  std::string_view mailbox_owner;  ///< who the records of the mailbox belong to
  /// Many people's mail comes here (a queue, a forward mailbox). What lies in a user's own mailbox is that
  /// user's: a sender who names somebody else in To must not show it to them (invariant 14).
  bool is_shared = false;
  /// Of To, Cc and Bcc: the owners of the organisation's mailboxes named there, in their order.
  std::vector<std::vector<std::string>> listed = {};
  std::string_view related_owner = {};  ///< of the record that the message belongs to; empty: none
  std::string_view sender_owner = {};   ///< of the sender's contact record; empty: none
};

struct OwnerDecision {
  std::string owner;
  std::string_view reason;  ///< "mailbox", "related", "sender", "recipient"
};

/// The first list that names somebody decides: the owner of the related record if listed there, else that of
/// the sender's record if listed, else the first one listed. Nobody is: the mailbox's owner.
OwnerDecision owner_of(const OwnerFacts& facts);

struct AddressHolder {
  model::RecordId record = 0;
  std::string_view owner;
};

/// So many records may hold an address before it says nothing about any of them.
constexpr std::size_t most_candidates = 100;

struct Match {
  model::RecordId record = 0;      ///< 0: nobody can tell
  bool is_one_of_several = false;  ///< others would have fitted as well
};

/// `candidates` in the order of their age. The mailbox owner's own ones come before others', older ones
/// before younger ones.
Match match_of(const std::vector<AddressHolder>& candidates, std::string_view owner);

}  // namespace syncline::sync::plan
