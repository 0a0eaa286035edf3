package autherdualpath

// Baked gives what this build was generated with. A value that begins with CHANGE_ME keeps it from starting.
func Baked() Settings {
	return Settings{
		Issuers:            []string{"https://id.example.org"},
		Audiences:          []string{"club"},
		Algorithms:         []string{"EdDSA"},
		JWKSURL:            "https://id.example.org/api/auth/jwks",
		ClientID:           "club",
		AuthorizeURL:       "https://id.example.org/api/auth/oauth2/authorize",
		TokenURL:           "https://id.example.org/api/auth/oauth2/token",
		RedirectURI:        "https://club.example.org/auth/callback",
		PluginURL:          "https://id.example.org/api/auth/migrator",
		CheckPermissionURL: "",
		AfterLogin:         "/",

		Source:              "User",
		ForeignPaths:        nil,
		CreateUsers:         false,
		DelegatePermissions: true,
		Build:               "1",
	}
}
