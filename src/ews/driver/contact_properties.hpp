// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a contact holds beside what EWS lets one write: by MAPI property (MS-OXOCNTC, MS-OXPROPS). For reading
// and writing alike.
#include "ews/types/property_path.hpp"

namespace syncline::ews {

const ExtendedFieldUri& title_property();                ///< PidTagDisplayNamePrefix
const ExtendedFieldUri& ftp_site_property();             ///< PidTagFtpSite
const ExtendedFieldUri& government_id_property();        ///< PidTagGovernmentIdNumber
const ExtendedFieldUri& phonetic_given_name_property();  ///< PidLidYomiFirstName
const ExtendedFieldUri& phonetic_surname_property();     ///< PidLidYomiLastName

}  // namespace syncline::ews
