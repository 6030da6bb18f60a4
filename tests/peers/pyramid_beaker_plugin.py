"""What pyramid_beaker's tests import is ours; what ours imports is pyramid_beaker."""
import sys
import types

import effect  # noqa: F401 first, as it says
import pyramid_beaker

from paste_sessioncookie.frameworks import pyramid_beaker as ours

stand_in = types.ModuleType('pyramid_beaker')
stand_in.__dict__.update(vars(pyramid_beaker), **{
    name: vars(ours)[name] for name in (
        'BeakerSessionFactoryConfig', 'includeme', 'session_factory_from_settings')})
sys.modules['pyramid_beaker'] = stand_in
