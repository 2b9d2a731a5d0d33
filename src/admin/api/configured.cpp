// SPDX-License-Identifier: GPL-3.0-or-later
#include "admin/api/configured.hpp"

#include <fmt/format.h>

#include "admin/api/problem.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/views/findings_json.hpp"

namespace syncline::admin::api {

namespace json = boost::json;

Result<Answer> apply_edit(Call& call, const service::ConfigurationEdit& edit, int status) {
  const bool dry_run = call.flag("dryRun");
  auto outcome = service::apply(call.organisation(), edit, dry_run, call.actor());
  if (!outcome) return fail(std::move(outcome.error()));
  return outcome_answer(call, *outcome, dry_run, status);
}

Result<Answer> outcome_answer(const Call& call, const service::ApplyOutcome& outcome, bool dry_run,
                              int status) {
  json::object said = service::to_json(outcome, call.language(), dry_run);
  if (outcome.refusals.empty()) return json_answer(said, dry_run ? 200 : status);
  Answer refused{.status = 409, .content_type = std::string(problem_type)};
  refused.body =
      problem_json(409, "refused", "The rules or the state of a mailbox forbid this; nothing was changed",
                   {{"outcome", std::move(said)}});
  return refused;
}

Result<void> refuse_secrets(const json::object& object) {
  for (const auto& [name, value] : object) {
    if (service::looks_like_secret(std::string_view(name)))
      return fail(ErrorDomain::input, "secret-in-settings",
                  fmt::format("{} looks like a secret: those go to …/secrets/KIND", std::string_view(name)));
    if (!value.is_object()) continue;
    if (auto good = refuse_secrets(value.get_object()); !good) return good;
  }
  return {};
}

}  // namespace syncline::admin::api
