"""The study: what a chapter or the command line talks to."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from metamerbook.engine.context import Context
from metamerbook.engine.execute import Execution, check_scheduler, execute
from metamerbook.engine.store import Store
from metamerbook.engine.task import Task
from metamerbook.ensembles import recognizability as recognition
from metamerbook.planning.plan import Plan, plan_study
from metamerbook.study.description import describe
from metamerbook.study.judging import one_per_category
from metamerbook.study.model_sets import ModelSet, check_keys
from metamerbook.study.networks import Networks
from metamerbook.study.settings import StudySettings, setting_names
from metamerbook.study.tasks import MetamerRun, StimuliRef
from metamerlib.checks import LARGEST_SEED, names, shown, whole_number
from metamerlib.generation import Metamers
from metamerlib.models import STAGES, Classifier, MissingWeightsError, ModelZoo, Stage
from metamerlib.stimuli import StimulusSet


class Study:
    """Metamers of chosen sets and stages, and what is measured on them; computed once, then found in the store.

    Most callers use `from_profile`. Nothing is computed before a result is asked for.

    Parameters
    ----------
    settings
        What is run.
    models
        Networks of one's own beside the zoo's. Their names are keys: model sets can name them, and they
        evaluate like the others.
    references
        Images to use in place of those that the settings name.
    zoo
        Networks to use in place of those that the settings name: a `ModelZoo`, or any mapping of key to `Classifier`.
    store
        Where results are kept; `Store.default` by default.
    progress
        Whether to draw progress bars; None draws them on terminals and in Jupyter.
    scheduler
        A Dask cluster to compute on: the scheduler's address or .json file, "local" for processes of this machine, a
        `distributed.Client`, or a cluster such as dask-jobqueue's and dask-cuda's. None takes the one that
        ``$METAMERLIB_SCHEDULER`` names; where it names none, this process computes, and others that it starts.

    Raises
    ------
    ValueError
        If a model set, network or stage does not exist, a name is taken, or the decision has no meaning for the zoo.

    Examples
    --------
    >>> from metamerbook import Study
    >>> study = Study.from_profile("mini", model_sets=["CNN"], stages=["late"])
    >>> study.settings.stages
    ('late',)
    """

    def __init__(
        self,
        settings: StudySettings,
        *,
        models: Iterable[Classifier] = (),
        references: StimulusSet | None = None,
        zoo: Mapping[str, Classifier] | None = None,
        store: Store | str | Path | None = None,
        progress: bool | None = None,
        scheduler: Any = None,
    ) -> None:
        if not isinstance(settings, StudySettings):
            raise TypeError(f"settings is {shown(settings)}: give StudySettings, or call Study.from_profile.")
        if references is not None and not isinstance(references, StimulusSet):
            raise TypeError(f"references is {shown(references)}: give a StimulusSet, such as load_stimuli() gives.")
        self.settings = settings
        if scheduler is not None:
            check_scheduler(scheduler)
        self._scheduler = scheduler
        if zoo is None:
            zoo = ModelZoo(settings.zoo, device=settings.device, decision=settings.decision)
        elif settings.decision != getattr(zoo, "decision", "max_logit"):
            raise ValueError(
                f"decision is {settings.decision!r}, but the networks of the given zoo decide as they were made: make "
                "them with that decision, or leave it out."
            )
        self.zoo, self.networks = zoo, Networks(zoo, models)
        self.store = store if isinstance(store, Store) else Store.default() if store is None else Store(store)
        self._progress = progress
        self.given_references = references is not None
        if references is not None:
            self.references = references  # in the place of the cached property
        self.model_sets = self.networks.resolve(settings.model_sets)
        check_keys(settings.evaluators or (), self.networks.keys, "evaluators")
        for stage in settings.stages:
            if stage not in STAGES:
                self.networks.check_stage(stage, {key for one in self.running_sets.values() for key in one.members})

    @classmethod
    def from_profile(
        cls,
        profile: str | Path = "mini",
        *,
        models: Iterable[Classifier] = (),
        references: StimulusSet | None = None,
        store: Store | str | Path | None = None,
        progress: bool | None = None,
        scheduler: Any = None,
        photographs_needed: bool = True,
        **overrides: Any,
    ) -> "Study":
        """Set up a study from a profile.

        Parameters
        ----------
        profile
            "smoke", "mini", "paper", or the path of a YAML file with the same keys.
        models
            Networks of one's own beside the zoo's.
        references
            Images to use in place of those that the profile names.
        store
            Where results are kept; `Store.default` by default.
        progress
            Whether to draw progress bars; None draws them on terminals and in Jupyter.
        scheduler
            A Dask cluster to compute on, as for `Study`.
        photographs_needed
            Whether a study of photographs must name their folder; `plan` does without.
        overrides
            Settings to change: fields of `StudySettings` and of `GenerationConfig`. None keeps the profile's.

        Returns
        -------
        Study
            With checked settings.
        """
        settings = StudySettings.from_profile(profile, photographs_needed=photographs_needed, **overrides)
        return cls(settings, models=models, references=references, store=store, progress=progress, scheduler=scheduler)

    @classmethod
    def from_parameters(cls, variables: Mapping[str, Any], **options: Any) -> "Study":
        """Set up a study from the variables of a notebook: its ``profile``, and every variable named as a setting.

        Parameters
        ----------
        variables
            ``globals()`` of the notebook.
        options
            As for `from_profile`: models, references, store and so on.

        Returns
        -------
        Study
            With checked settings.
        """
        settings = {name: variables[name] for name in setting_names() if name in variables}
        return cls.from_profile(variables["profile"], **options, **settings)

    def __repr__(self) -> str:
        settings = self.settings
        return f"Study({settings.profile!r}, {len(self.running_sets)} model sets, stages {list(settings.stages)})"

    def describe(self) -> str:
        """Say in a few Markdown sentences what is run, and what is missing.

        Returns
        -------
        str
            Markdown.
        """
        return describe(self)

    def plan(self, *, seconds: float | None = 10.0) -> Plan:
        """Count what this study and the book on it would compute, what it costs here, and what the store has.

        Parameters
        ----------
        seconds
            How long to time updates of some networks, from which the hours follow; None leaves the hours out.

        Returns
        -------
        Plan
            Nothing is computed for it, and nothing stored.
        """
        return plan_study(self, seconds=seconds, progress=self._progress)

    @cached_property
    def references(self) -> StimulusSet:
        """The images that metamers are made of."""
        return self.settings.load_references()

    @cached_property
    def context(self) -> Context:
        """Images, networks and store, as tasks are computed from them."""
        return Context(
            self.references,
            self.networks.models,
            self.store,
            device=self.settings.device,
            batch_size=self.settings.batch_size,
            compile=self.settings.compile,
            progress=self._progress,
            scheduler=self._scheduler,
        )

    @property
    def running_sets(self) -> dict[str, ModelSet]:
        """The model sets of which enough networks are there: those that tables and figures show."""
        return {name: model_set for name, model_set in self.model_sets.items() if model_set.runs}

    @property
    def evaluators(self) -> tuple[str, ...]:
        """Keys of the networks that classify the metamers and are there; a set's own members are among them."""
        return tuple(key for key in self._wanted_evaluators if key in self.networks.models)

    @property
    def missing_evaluators(self) -> tuple[str, ...]:
        """Keys of the networks that should classify the metamers, but whose weights are not there."""
        return tuple(key for key in self._wanted_evaluators if key not in self.networks.models)

    def run(
        self, model_set: str | Sequence[str], stage: Stage, *, seed: int | None = None, **config: Any
    ) -> MetamerRun:
        """Describe the generation of the metamers of a set at a stage.

        Parameters
        ----------
        model_set
            Name of a set of this study or of the zoo, key of a network, or a list of keys.
        stage
            "early", "middle", "late", a depth in (0, 1], or a module's dotted name.
        seed
            Of the initial noise; None is the study's.
        config
            Fields of `GenerationConfig` to change.

        Returns
        -------
        MetamerRun
            Its key names the result in the store.

        Raises
        ------
        MissingWeightsError
            If too few of the set's networks are there.
        """
        chosen = self._model_set(model_set)
        if not chosen.runs:
            raise MissingWeightsError(
                f"model set {chosen.name!r} cannot run without the weights of {', '.join(chosen.missing)}: "
                f"{self.networks.hint(chosen.missing)}."
            )
        settings = self.settings.config.replace(**config) if config else self.settings.config
        seed = self.settings.seed if seed is None else whole_number(seed, "seed", at_most=LARGEST_SEED)
        own = (settings, seed) == (self.settings.config, self.settings.seed) and stage in self.settings.stages
        return MetamerRun(
            stimuli=self._stimuli,
            models=tuple(self.networks.ref(key) for key in chosen.members),
            layers=tuple(self.networks.skeleton(key).layer(stage) for key in chosen.members),
            stage=stage,
            config=settings,
            seed=seed,
            name=chosen.name,
            precision=self.settings.precision,
            followed=tuple(one_per_category(self)) if own and chosen.name in self.running_sets else (),
        )

    @property
    def runs(self) -> list[MetamerRun]:
        """Every running set at every stage of the study.

        Raises
        ------
        MissingWeightsError
            If no set can run.
        """
        if not self.running_sets:
            shortfalls = "; ".join(model_set.shortfall for model_set in self.model_sets.values())
            raise MissingWeightsError(f"no model set can run. {shortfalls}. {self.networks.hint()}.")
        return [self.run(name, stage) for name in self.running_sets for stage in self.settings.stages]

    def execute(
        self, tasks: Iterable[Task] | None = None, *, title: str = "metamers", skip_unusable: bool = False
    ) -> Execution:
        """Compute what the store lacks, with a progress bar over all of it.

        Parameters
        ----------
        tasks
            What to run; by default the metamers of every set at every stage.
        title
            What the progress bar says is going on.
        skip_unusable
            Whether to go on where a network turns out to be one that no metamers can be made with.

        Returns
        -------
        Execution
            What was computed and what was found.
        """
        wanted = self.runs if tasks is None else tasks
        return execute(wanted, self.context, title=title, skip_unusable=skip_unusable)

    def result(self, task: Task) -> Any:
        """Return the result of a task, from the store or computed now.

        Parameters
        ----------
        task
            What to run.

        Returns
        -------
        Any
            The result.
        """
        self.execute([task], title=task.label)
        return self.context.result(task)

    def metamers(
        self, model_set: str | Sequence[str], stage: Stage, *, seed: int | None = None, **config: Any
    ) -> Metamers:
        """Return the metamers of a set at a stage, from the store or computed now.

        Parameters
        ----------
        model_set
            Name of a set of this study or of the zoo, key of a network, or a list of keys.
        stage
            "early", "middle", "late", a depth in (0, 1], or a module's dotted name.
        seed
            Of the initial noise; None is the study's.
        config
            Fields of `GenerationConfig` to change.

        Returns
        -------
        Metamers
            One per reference, in their order.
        """
        return self.result(self.run(model_set, stage, seed=seed, **config))

    def recognizability(self) -> pd.DataFrame:
        """Tabulate which share of the metamers each evaluator recognizes: `recognition.recognizability`.

        Returns
        -------
        DataFrame
            One row per model set, stage and evaluator.
        """
        return recognition.recognizability(self)

    def mean_recognizability(self) -> pd.DataFrame:
        """Average recognizability over evaluators: `recognition.mean_recognizability`.

        Returns
        -------
        DataFrame
            One row per model set, stage and choice of evaluators.
        """
        return recognition.mean_recognizability(self.recognizability())

    def residuals(self) -> pd.DataFrame:
        """Tabulate how well the metamers match the references' activations: `recognition.residuals`.

        Returns
        -------
        DataFrame
            One row per model set, stage and model.
        """
        return recognition.residuals(self)

    @cached_property
    def _stimuli(self) -> StimuliRef:
        return StimuliRef.of(self.references, {} if self.given_references else self.settings.origin_of_references)

    @property
    def _wanted_evaluators(self) -> tuple[str, ...]:
        return self.settings.evaluators or (*self.networks.evaluators, *self.networks.missing_evaluators)

    def _model_set(self, choice: str | Sequence[str]) -> ModelSet:
        if isinstance(choice, str):
            return self.model_sets.get(choice) or self.networks.resolve([choice])[choice]
        choice = names(choice, "model_set")
        name = " + ".join(choice)
        return self.networks.resolve({name: choice})[name]
