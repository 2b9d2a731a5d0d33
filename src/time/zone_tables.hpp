// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Names that CLDR's tables do not have. Only zone_names.cpp and zone_match.cpp include this.
#include <array>
#include <string_view>

namespace syncline::time {

struct NamePair {
  std::string_view name;
  std::string_view zone;
};

/// Windows names that are no more, with the zone they meant.
constexpr std::array<NamePair, 7> retired_windows{{
    {"Kamchatka Standard Time", "Asia/Kamchatka"},
    {"Mid-Atlantic Standard Time", "Etc/GMT+2"},
    {"Armenian Standard Time", "Asia/Yerevan"},
    {"Mexico Standard Time", "America/Mexico_City"},
    {"Mexico Standard Time 2", "America/Chihuahua"},
    {"Malay Peninsula Standard Time", "Asia/Singapore"},
    {"Coordinated Universal Time", "Etc/UTC"},
}};

/// Zones newer than ICU's tables, with their Windows name.
constexpr std::array<NamePair, 2> newer_iana{{
    {"America/Ciudad_Juarez", "Mountain Standard Time"},
    {"America/Coyhaique", "Magallanes Standard Time"},
}};

/// What localised editions of Windows write for a zone's id, where it is not ICU's own name of the zone.
constexpr std::array<NamePair, 15> localised_windows{{
    {"Mitteleuropäische Zeit", "W. Europe Standard Time"},
    {"Mitteleuropäische Sommerzeit", "W. Europe Standard Time"},
    {"Westeuropäische Zeit", "GMT Standard Time"},
    {"Osteuropäische Zeit", "E. Europe Standard Time"},
    {"ora solare Europa occidentale", "W. Europe Standard Time"},
    {"Europa occidentale (ora solare)", "W. Europe Standard Time"},
    {"Hora estándar romance", "Romance Standard Time"},
    {"Paris, Madrid", "Romance Standard Time"},
    {"Paris, Madrid (heure standard)", "Romance Standard Time"},
    {"West-Europa (standaardtijd)", "W. Europe Standard Time"},
    {"Hora oficial do Brasil", "E. South America Standard Time"},
    {"東京 (標準時)", "Tokyo Standard Time"},
    {"中国标准时间", "China Standard Time"},
    {"대한민국 표준시", "Korea Standard Time"},
    {"RTZ 2 (зима)", "Russian Standard Time"},
}};

/// Windows' display names without the offset before them, where no city in them is the name of a zone.
constexpr std::array<NamePair, 66> display_names{{
    {"International Date Line West", "Dateline Standard Time"},
    {"Coordinated Universal Time-11", "UTC-11"},
    {"Aleutian Islands", "Aleutian Standard Time"},
    {"Hawaii", "Hawaiian Standard Time"},
    {"Marquesas Islands", "Marquesas Standard Time"},
    {"Alaska", "Alaskan Standard Time"},
    {"Coordinated Universal Time-09", "UTC-09"},
    {"Baja California", "Pacific Standard Time (Mexico)"},
    {"Coordinated Universal Time-08", "UTC-08"},
    {"Pacific Time (US & Canada)", "Pacific Standard Time"},
    {"Arizona", "US Mountain Standard Time"},
    {"Chihuahua, La Paz, Mazatlan", "Mountain Standard Time (Mexico)"},
    {"La Paz, Mazatlan", "Mountain Standard Time (Mexico)"},
    {"Mountain Time (US & Canada)", "Mountain Standard Time"},
    {"Yukon", "Yukon Standard Time"},
    {"Central America", "Central America Standard Time"},
    {"Central Time (US & Canada)", "Central Standard Time"},
    {"Easter Island", "Easter Island Standard Time"},
    {"Guadalajara, Mexico City, Monterrey", "Central Standard Time (Mexico)"},
    {"Saskatchewan", "Canada Central Standard Time"},
    {"Bogota, Lima, Quito, Rio Branco", "SA Pacific Standard Time"},
    {"Bogota, Lima, Quito", "SA Pacific Standard Time"},
    {"Chetumal", "Eastern Standard Time (Mexico)"},
    {"Eastern Time (US & Canada)", "Eastern Standard Time"},
    {"Haiti", "Haiti Standard Time"},
    {"Indiana (East)", "US Eastern Standard Time"},
    {"Turks and Caicos", "Turks And Caicos Standard Time"},
    {"Atlantic Time (Canada)", "Atlantic Standard Time"},
    {"Georgetown, La Paz, Manaus, San Juan", "SA Western Standard Time"},
    {"Newfoundland", "Newfoundland Standard Time"},
    {"Cayenne, Fortaleza", "SA Eastern Standard Time"},
    {"City of Buenos Aires", "Argentina Standard Time"},
    {"Greenland", "Greenland Standard Time"},
    {"Saint Pierre and Miquelon", "Saint Pierre Standard Time"},
    {"Salvador", "Bahia Standard Time"},
    {"Coordinated Universal Time-02", "UTC-02"},
    {"Mid-Atlantic", "Mid-Atlantic Standard Time"},
    {"Mid-Atlantic - Old", "Mid-Atlantic Standard Time"},
    {"Cabo Verde Is.", "Cape Verde Standard Time"},
    {"Cape Verde Is.", "Cape Verde Standard Time"},
    {"Coordinated Universal Time", "UTC"},
    {"Dublin, Edinburgh, Lisbon, London", "GMT Standard Time"},
    {"Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "GMT Standard Time"},
    {"Monrovia, Reykjavik", "Greenwich Standard Time"},
    {"Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "W. Europe Standard Time"},
    {"Belgrade, Bratislava, Budapest, Ljubljana, Prague", "Central Europe Standard Time"},
    {"Brussels, Copenhagen, Madrid, Paris", "Romance Standard Time"},
    {"Sarajevo, Skopje, Warsaw, Zagreb", "Central European Standard Time"},
    {"West Central Africa", "W. Central Africa Standard Time"},
    {"Athens, Bucharest", "GTB Standard Time"},
    {"Gaza, Hebron", "West Bank Standard Time"},
    {"Harare, Pretoria", "South Africa Standard Time"},
    {"Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius", "FLE Standard Time"},
    {"Jerusalem", "Israel Standard Time"},
    {"Kuwait, Riyadh", "Arab Standard Time"},
    {"Abu Dhabi, Muscat", "Arabian Standard Time"},
    {"Astana", "Central Asia Standard Time"},
    {"Chennai, Kolkata, Mumbai, New Delhi", "India Standard Time"},
    {"Bangkok, Hanoi, Jakarta", "SE Asia Standard Time"},
    {"Beijing, Chongqing, Hong Kong, Urumqi", "China Standard Time"},
    {"Kuala Lumpur, Singapore", "Singapore Standard Time"},
    {"Osaka, Sapporo, Tokyo", "Tokyo Standard Time"},
    {"Canberra, Melbourne, Sydney", "AUS Eastern Standard Time"},
    {"Solomon Is., New Caledonia", "Central Pacific Standard Time"},
    {"Auckland, Wellington", "New Zealand Standard Time"},
    {"Kiritimati Island", "Line Islands Standard Time"},
}};

/// Where several Windows zones share their rules: the ones most people mean, first.
constexpr std::array<std::string_view, 22> preferred_windows{{
    "UTC",
    "Eastern Standard Time",
    "Central Standard Time",
    "Mountain Standard Time",
    "Pacific Standard Time",
    "Atlantic Standard Time",
    "Newfoundland Standard Time",
    "Alaskan Standard Time",
    "Hawaiian Standard Time",
    "GMT Standard Time",
    "W. Europe Standard Time",
    "FLE Standard Time",
    "Turkey Standard Time",
    "Russian Standard Time",
    "Arabian Standard Time",
    "India Standard Time",
    "China Standard Time",
    "Tokyo Standard Time",
    "E. South America Standard Time",
    "Cen. Australia Standard Time",
    "AUS Eastern Standard Time",
    "New Zealand Standard Time",
}};

}  // namespace syncline::time
