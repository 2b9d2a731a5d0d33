// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What the resources of the configuration share: reading it, and changing it as `apply` does.
#include <boost/json/object.hpp>
#include <functional>

#include "admin/api/call.hpp"

namespace syncline::admin::api {

/// Answers with the outcome (200, 201 …), or 409 with the same when something was refused.
Result<Answer> apply_edit(Call& call, const service::ConfigurationEdit& edit, int status = 200);

/// The same of an outcome that is there.
Result<Answer> outcome_answer(const Call& call, const service::ApplyOutcome& outcome, bool dry_run,
                              int status);

/// `object` over what a value has as default, or error (input) "bad-value" with the setting and what is
/// wrong.
template <class Owner>
Result<Owner> owner_from(const service::Settings<Owner>& settings, const boost::json::object& object) {
  Owner owner{};
  if (service::Wrong wrong = service::from_object(settings, object, owner))
    return fail(ErrorDomain::input, "bad-value", *wrong);
  return owner;
}

/// Refuses names that look like a secret's (input, "secret-in-settings"), at any depth.
Result<void> refuse_secrets(const boost::json::object& object);

}  // namespace syncline::admin::api
