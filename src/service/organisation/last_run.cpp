// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/organisation/last_run.hpp"

#include <boost/json/parse.hpp>

#include "model/record.hpp"

namespace syncline::service {

namespace json = boost::json;

LastRun read_last_run(std::string_view state) {
  LastRun last;
  boost::system::error_code bad;
  const json::value value = json::parse(state, bad);
  const json::object* object = bad ? nullptr : value.if_object();
  if (object == nullptr) return last;
  if (const json::value* at = object->if_contains("succeededAt"); at != nullptr && at->is_int64())
    last.succeeded_at = SystemTime(std::chrono::milliseconds(at->get_int64()));
  last.failed = model::text_of(*object, "outcome") == "failed";
  if (const json::value* errors = object->if_contains("errorsInARow");
      errors != nullptr && errors->is_int64())
    last.errors_in_a_row = errors->get_int64();
  if (const json::value* error = object->if_contains("error"); error != nullptr && error->is_object()) {
    last.error_code = model::text_of(error->get_object(), "code");
    last.error_text = model::text_of(error->get_object(), "message");
  }
  return last;
}

}  // namespace syncline::service
