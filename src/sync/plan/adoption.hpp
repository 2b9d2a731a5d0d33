// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which unlinked appointments, contacts and tasks become records (invariant 19). Pure.
#include <string_view>
#include <vector>

#include "model/policies.hpp"

namespace syncline::sync::plan {

struct Candidate {
  model::RecordKind kind = model::RecordKind::appointment;
  bool is_private = false;  ///< private or confidential
  const model::Fields& fields;
  bool with_known_contact =
      false;  ///< a person of it is a contact record; asked for only when the policy wants it
  bool bears_our_mark =
      false;  ///< our property, of an operation that the journal does not know (invariant 7)
};

struct AdoptionDecision {
  bool adopt = false;
  std::string_view reason;  ///< of the journal: "category", "our-property", "policy-all", "known-contact";
                            ///< "private", "no-category", …
};

AdoptionDecision decide_adoption(const Candidate& candidate, const model::SyncPolicy& policy);
/// The policy for a kind; e-mail is not adopted but tracked (mail_tracking.hpp).
model::Adoption adoption_of(model::RecordKind kind, const model::SyncPolicy& policy);
/// Whether the item or record bears the category, in any case.
bool has_category(const model::Fields& fields, std::string_view category);
/// The addresses of all people of a record or item, in lower case, each once.
std::vector<std::string> addresses_in(model::RecordKind kind, const model::Fields& fields);

}  // namespace syncline::sync::plan
