// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Who holds which role. As long as nobody holds one, whoever may write to the organisation's folder may
// approve; from the first one on only who holds a role may.
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "service/organisation/apply.hpp"
#include "store/store.hpp"

namespace syncline::service {

/// Of the primary tenant, of the organisation itself; words of the rules' mbx_approver_role, the strongest
/// first.
inline constexpr std::string_view approver_roles[] = {"global_admin", "exchange_admin", "delegated_approver",
                                                      "system_admin"};

/// By person.
using PersonRoles = std::map<std::string, std::set<std::string>, std::less<>>;
Result<PersonRoles> load_roles(store::Transaction& transaction);

/// False: it was so already. An entry of the audit. Error (input): "bad-role".
Result<bool> grant_role(Organisation& organisation, const std::string& person, std::string_view role,
                        const Actor& actor);
Result<bool> revoke_role(Organisation& organisation, const std::string& person, std::string_view role,
                         const Actor& actor);

}  // namespace syncline::service
